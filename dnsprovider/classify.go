package dnsprovider

import (
	"context"
	"errors"
	"regexp"

	"domherre/dnsprovider/zoneio"
)

// The libdns modules tell their vendors' refusals in text alone.
var (
	refusedText   = regexp.MustCompile(`(?i)\b(401|unauthori[sz]ed|authentication failed|invalid (api )?(token|key|credentials))\b`)
	temporaryText = regexp.MustCompile(`(?i)\b(429|500|502|503|504|too many requests|rate ?limit(ed)?|timeout|temporarily|bad gateway|service unavailable)\b`)
	noZoneText    = regexp.MustCompile(`(?i)\b(zone|domain)\b.{0,80}\bnot found\b|\b(no such|unknown) (zone|domain)\b|` +
		`expected 1 zone, got 0|\bHostedZoneNotFound\b|\bNoSuchHostedZone\b|\b(could not|unable to) find .{0,40}\b(zone|domain)\b`)
	notThereText = regexp.MustCompile(`(?i)\brecord\b.{0,300}\bnot found\b|can't find such a dns value|\ba 404\b`)
)

// classify gives an error a kind by its text where it has none.
func classify(err error) error {
	var known *zoneio.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || zoneio.KindOf(err) != zoneio.Other {
		return err
	}
	switch text := err.Error(); {
	case refusedText.MatchString(text):
		return zoneio.As(zoneio.Credentials, err)
	case temporaryText.MatchString(text):
		return zoneio.As(zoneio.Temporary, err)
	case noZoneText.MatchString(text):
		return zoneio.As(zoneio.NoZone, err)
	}
	return err
}
