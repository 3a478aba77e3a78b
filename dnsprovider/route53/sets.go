package route53

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// explain gives AWS' refusals their kind: they come with 400 and 403.
func explain(err error) error {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.ErrorCode() {
	case "Throttling", "ThrottlingException", "PriorRequestNotComplete", "TooManyRequestsException":
		return zoneio.As(zoneio.Temporary, err)
	case "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "MissingAuthenticationToken",
		"ExpiredToken", "ExpiredTokenException", "AccessDenied", "AccessDeniedException":
		return zoneio.As(zoneio.Credentials, err)
	case "NoSuchHostedZone":
		return zoneio.As(zoneio.NoZone, err)
	}
	return err
}

// special reports whether an RRset is one of Route 53's own making: an alias, or
// one of several by a routing policy.
func special(set types.ResourceRecordSet) bool {
	return set.AliasTarget != nil || set.SetIdentifier != nil || set.TTL == nil
}

// parse gives what is DNS of a zone as it was read.
func parse(name portfolio.Name, sets []types.ResourceRecordSet) (portfolio.Zone, error) {
	var recs []libdns.Record
	for _, set := range sets {
		if special(set) {
			continue
		}
		for _, r := range set.ResourceRecords {
			typ, data := string(set.Type), inDecimal(aws.ToString(r.Value))
			if typ == "TXT" {
				text, err := zoneio.Unquote(data)
				if err != nil {
					return portfolio.Zone{}, fmt.Errorf("%s TXT: %w", aws.ToString(set.Name), err)
				}
				data = text
			}
			recs = append(recs, libdns.RR{Name: ascii(aws.ToString(set.Name)), Type: typ, TTL: time.Duration(*set.TTL) * time.Second, Data: data})
		}
	}
	read, err := zoneio.RRsets(name, recs)
	return portfolio.Zone{Name: name, RRsets: read}, err
}

// plan gives the changes of an API call, or ErrStale where what they touch is no
// longer as it was before.
func plan(before portfolio.Zone, sets []types.ResourceRecordSet, changes []zoneio.Change) ([]types.Change, error) {
	now, err := parse(before.Name, sets)
	if err != nil {
		return nil, err
	}
	raw := make(map[portfolio.Key]types.ResourceRecordSet)
	for _, set := range sets {
		owner, _ := zoneio.RelativeName(ascii(aws.ToString(set.Name)), before.Name.FQDN())
		raw[portfolio.Key{Name: owner, Type: string(set.Type)}] = set
	}
	was, is := zoneio.ContentsOf(before), zoneio.ContentsOf(now)
	var out []types.Change
	for _, change := range changes {
		old, held := was[change.Key]
		if _, present := is[change.Key]; held != present || held && !is.Has(old) {
			return nil, portfolio.ErrStale
		}
		set, there := raw[change.Key]
		switch {
		case there && special(set):
			return nil, zoneio.As(zoneio.Unsupported, fmt.Errorf("%s %s is an alias or has a routing policy, which is no DNS record; remove it in Route 53 first", change.Key.Name, change.Key.Type))
		case change.Set != nil:
			wanted, err := form(before.Name, *change.Set)
			if err != nil {
				return nil, err
			}
			out = append(out, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: wanted})
		case there: // as it is: a delete must match exactly
			out = append(out, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: &set})
		}
	}
	return out, nil
}

// form gives an RRset as the API takes it.
func form(zone portfolio.Name, set portfolio.RRset) (*types.ResourceRecordSet, error) {
	rrs, err := set.Records(zone)
	if err != nil {
		return nil, err
	}
	out := &types.ResourceRecordSet{
		Name: aws.String(zoneio.AbsoluteName(set.Name, zone.FQDN())), Type: types.RRType(set.Type), TTL: aws.Int64(int64(set.TTL)),
	}
	for _, rr := range rrs {
		out.ResourceRecords = append(out.ResourceRecords, types.ResourceRecord{Value: aws.String(inOctal(zoneio.Presentation(rr)))})
	}
	return out, nil
}

// batches cuts changes by what one may hold: 1,000 values of 32,000 characters,
// an UPSERT counting twice
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html).
func batches(changes []types.Change) [][]types.Change {
	const mostValues, mostCharacters = 900, 30000
	var out [][]types.Change
	values, characters := mostValues, 0
	for _, c := range changes {
		v, n := 0, 0
		for _, r := range c.ResourceRecordSet.ResourceRecords {
			v, n = v+2, n+2*len(aws.ToString(r.Value))
		}
		if values+v > mostValues || characters+n > mostCharacters {
			out, values, characters = append(out, nil), 0, 0
		}
		out[len(out)-1] = append(out[len(out)-1], c)
		values, characters = values+v, characters+n
	}
	return out
}

// ascii undoes the escapes of a name: an asterisk comes as \052.
func ascii(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, `\052`, "*"))
}

// inDecimal and inOctal turn escapes of three digits into each other: Route 53
// writes octal, zone files decimal.
func inDecimal(s string) string { return escapes(s, 8, "%03d") }

func inOctal(s string) string { return escapes(s, 10, "%03o") }

func escapes(s string, base int, format string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if s[i] != '\\' || i+1 == len(s) {
			continue
		}
		i++
		if n, err := strconv.ParseUint(s[i:min(i+3, len(s))], base, 8); err == nil && i+3 <= len(s) {
			fmt.Fprintf(&b, format, n)
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
