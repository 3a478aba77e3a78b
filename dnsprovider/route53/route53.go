// Package route53 keeps zones at Amazon Route 53 by its API
// (https://docs.aws.amazon.com/Route53/latest/APIReference/) and AWS' own library:
// a write is one batch of changes, which holds whole or not at all. It is our own
// since libdns' module neither finds nor deletes wildcard records, which the API
// names in octal, loses the quotes that a text begins or ends with, writes RRset
// by RRset, and has a client that no limits reach.
package route53

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/libdns/libdns"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

// Settings say who asks. What is left out comes from AWS' usual environment and
// files.
type Settings struct {
	Region          string `json:"region" doc:"the AWS region; us-east-1 where neither this nor the AWS configuration names one" example:"eu-north-1"`
	Profile         string `json:"profile" doc:"a profile of the AWS configuration files" example:"domherre"`
	AccessKeyID     string `json:"access_key_id" doc:"the key's id; the usual AWS environment and files where empty" example:"${env:AWS_ACCESS_KEY_ID}"`
	SecretAccessKey string `json:"secret_access_key" doc:"the key" example:"${env:AWS_SECRET_ACCESS_KEY}" secret:"true"`
	SessionToken    string `json:"session_token" doc:"the token of a session" example:"${env:AWS_SESSION_TOKEN}" secret:"true"`
	HostedZoneID    string `json:"hosted_zone_id" doc:"the one hosted zone to use; found by name where empty" example:"Z123456789EXAMPLE"`
	CreateZones     bool   `json:"create_zones" doc:"create missing zones, with the permission route53:CreateHostedZone; AWS charges for each by the month" example:"false"`
}

// Provider is one account. It is safe for concurrent use.
type Provider struct {
	zoneio.Libdns
	api *route53.Client
	one string // the id of the only zone; empty: any

	creates bool // zones that are missing

	mu  sync.Mutex
	ids map[portfolio.Name]string // a zone that was made anew has another
}

// The interfaces that the adapter looks for.
var (
	_ zoneio.AtomicWriter = (*Provider)(nil)
	_ zoneio.Reader       = (*Provider)(nil)
	_ libdns.ZoneLister   = (*Provider)(nil)
)

// New makes a Provider. It fails where the AWS configuration can't be read;
// nothing is asked of Route 53 yet.
func New(s Settings) (*Provider, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // the adapter tries again
		config.WithDefaultRegion("us-east-1"),
	}
	if s.Region != "" {
		options = append(options, config.WithRegion(s.Region))
	}
	if s.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.Profile))
	}
	if s.AccessKeyID != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, s.SessionToken)))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("the AWS configuration can't be read: %w", err)
	}
	api := route53.NewFromConfig(cfg, func(o *route53.Options) { o.HTTPClient = &http.Client{Transport: zoneio.Transport(nil, nil)} })
	p := &Provider{api: api, one: s.HostedZoneID, creates: s.CreateZones, ids: make(map[portfolio.Name]string)}
	p.Zones = p
	return p, nil
}

// ListZones gives the account's public zones.
func (p *Provider) ListZones(ctx context.Context) ([]libdns.Zone, error) {
	var out []libdns.Zone
	for pages := route53.NewListHostedZonesPaginator(p.api, &route53.ListHostedZonesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain(err)
		}
		for _, z := range page.HostedZones {
			if z.Config == nil || !z.Config.PrivateZone {
				out = append(out, libdns.Zone{Name: ascii(aws.ToString(z.Name))})
			}
		}
	}
	return out, nil
}

// id finds a zone's id.
func (p *Provider) id(ctx context.Context, name portfolio.Name) (string, error) {
	if p.one != "" {
		return p.one, nil
	}
	p.mu.Lock()
	id := p.ids[name]
	p.mu.Unlock()
	if id != "" {
		return id, nil
	}
	found, err := p.api.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String(name.FQDN())})
	if err != nil {
		return "", explain(err)
	}
	for _, z := range found.HostedZones {
		switch {
		case ascii(aws.ToString(z.Name)) != name.FQDN(), z.Config != nil && z.Config.PrivateZone:
		case id != "":
			return "", fmt.Errorf("the account has several public zones of this name; choose one by hosted_zone_id")
		default:
			id = strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
		}
	}
	if id == "" {
		return "", zoneio.As(zoneio.NoZone, fmt.Errorf("the account has no public zone %s", name))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids[name] = id
	return id, nil
}

// list reads a zone as the API has it.
func (p *Provider) list(ctx context.Context, name portfolio.Name) (id string, sets []types.ResourceRecordSet, err error) {
	p.mu.Lock()
	_, remembered := p.ids[name]
	p.mu.Unlock()
	id, sets, err = p.listOnce(ctx, name)
	if remembered && zoneio.KindOf(err) == zoneio.NoZone {
		return p.listOnce(ctx, name)
	}
	return id, sets, err
}

func (p *Provider) listOnce(ctx context.Context, name portfolio.Name) (id string, sets []types.ResourceRecordSet, err error) {
	id, err = p.id(ctx, name)
	if err != nil {
		return "", nil, err
	}
	for pages := route53.NewListResourceRecordSetsPaginator(p.api, &route53.ListResourceRecordSetsInput{HostedZoneId: aws.String(id)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			p.mu.Lock()
			delete(p.ids, name) // it may be that which fails
			p.mu.Unlock()
			return "", nil, explain(err)
		}
		sets = append(sets, page.ResourceRecordSets...)
	}
	return id, sets, nil
}

// ReadZone reads a zone whole, but for alias records and those with a routing
// policy, which are no DNS records.
func (p *Provider) ReadZone(ctx context.Context, name portfolio.Name) (portfolio.Zone, error) {
	_, sets, err := p.list(ctx, name)
	if zoneio.KindOf(err) == zoneio.NoZone {
		return portfolio.Zone{Name: name, Missing: true}, nil
	}
	if err != nil {
		return portfolio.Zone{}, err
	}
	return parse(name, sets)
}

// WriteZone carries out all steps as one batch, or several where they are more
// than a batch may hold: some 450 values of a zone.
func (p *Provider) WriteZone(ctx context.Context, _ string, before portfolio.Zone, steps []portfolio.Step) error {
	if before.Missing {
		if err := p.create(ctx, before.Name); err != nil {
			return err
		}
	}
	id, sets, err := p.list(ctx, before.Name)
	if err != nil {
		return err
	}
	changes, err := plan(before, sets, zoneio.Fold(zoneio.Changes(steps)))
	if err != nil {
		return err
	}
	for _, batch := range batches(changes) {
		_, err := p.api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: aws.String(id), ChangeBatch: &types.ChangeBatch{Changes: batch},
		})
		if err != nil {
			return explain(err)
		}
	}
	return nil
}

// create makes a zone without records: the API takes none with it. AWS makes
// several of one name, but one for a reference: by that of the day, a call whose
// answer was lost makes no second.
func (p *Provider) create(ctx context.Context, name portfolio.Name) error {
	if !p.creates || p.one != "" {
		return zoneio.As(zoneio.NoZone, errors.New("the account has no such public zone; set create_zones at the provider to let it be created, or create it in Route 53 first"))
	}
	_, err := p.api.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: aws.String(name.FQDN()), CallerReference: aws.String("domherre " + name.ASCII() + time.Now().UTC().Format(" 2006-01-02")),
	})
	if err != nil {
		return fmt.Errorf("create the zone: %w", explain(err))
	}
	return nil
}
