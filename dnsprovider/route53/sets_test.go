package route53

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"domherre/dnsprovider/zoneio"
	"domherre/portfolio"
)

func named(t *testing.T, s string) portfolio.Name {
	t.Helper()
	n, err := portfolio.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func raw(name, typ string, ttl int64, values ...string) types.ResourceRecordSet {
	set := types.ResourceRecordSet{Name: aws.String(name), Type: types.RRType(typ), TTL: aws.Int64(ttl)}
	for _, v := range values {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: aws.String(v)})
	}
	return set
}

func set(name, typ string, ttl uint32, data ...string) portfolio.RRset {
	return portfolio.RRset{Name: name, Type: typ, TTL: ttl, Data: data}
}

func TestParse(t *testing.T) {
	t.Parallel()
	zone := named(t, "kopasex.example")
	got, err := parse(zone, []types.ResourceRecordSet{
		raw(`\052.kopasex.example.`, "A", 300, "192.0.2.2", "192.0.2.1"),
		raw("kopasex.example.", "TXT", 300, `"one \"two\" " "\303\245\\"`),
		{Name: aws.String("kopasex.example."), Type: "A", AliasTarget: &types.AliasTarget{DNSName: aws.String("lb.example.net.")}},
		{Name: aws.String("geo.kopasex.example."), Type: "A", TTL: aws.Int64(60), SetIdentifier: aws.String("north")},
	})
	want := []portfolio.RRset{set("@", "TXT", 300, `one "two" å\\`), set("*", "A", 300, "192.0.2.1", "192.0.2.2")}
	portfolio.SortRRsets(want)
	if err != nil || fmt.Sprint(got.RRsets) != fmt.Sprint(want) {
		t.Errorf("%v, not %v, %v", got.RRsets, want, err)
	}
}

// A write goes by what was planned: a delete is of what is there, letter by
// letter; what has changed since is refused, and so is what is no DNS record.
func TestPlan(t *testing.T) {
	t.Parallel()
	zone := named(t, "kopasex.example")
	held := []types.ResourceRecordSet{
		raw("kopasex.example.", "TXT", 300, `"part one" " and two"`),
		{Name: aws.String("www.kopasex.example."), Type: "A", AliasTarget: &types.AliasTarget{DNSName: aws.String("lb.example.net.")}},
	}
	before, err := parse(zone, held)
	if err != nil {
		t.Fatal(err)
	}
	wanted := set("new", "TXT", 60, "å")
	changes, err := plan(before, held, []zoneio.Change{{Key: portfolio.Key{Name: "@", Type: "TXT"}}, {Key: wanted.Key(), Set: &wanted}})
	if err != nil || len(changes) != 2 {
		t.Fatalf("%v, %v", changes, err)
	}
	if c := changes[0]; c.Action != types.ChangeActionDelete || *c.ResourceRecordSet.ResourceRecords[0].Value != `"part one" " and two"` {
		t.Errorf("%s %v", c.Action, c.ResourceRecordSet)
	}
	if c := changes[1]; c.Action != types.ChangeActionUpsert || *c.ResourceRecordSet.ResourceRecords[0].Value != `"\303\245"` {
		t.Errorf("%s %s", c.Action, *c.ResourceRecordSet.ResourceRecords[0].Value)
	}

	if _, err := plan(before, nil, []zoneio.Change{{Key: portfolio.Key{Name: "@", Type: "TXT"}}}); !errors.Is(err, portfolio.ErrStale) {
		t.Errorf("a zone that has changed gives %v", err)
	}
	alias := set("www", "A", 60, "192.0.2.1")
	if _, err := plan(before, held, []zoneio.Change{{Key: alias.Key(), Set: &alias}}); zoneio.KindOf(err) != zoneio.Unsupported {
		t.Errorf("an alias in the way gives %v", err)
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	var changes []types.Change
	for i := range 2000 {
		set := raw(fmt.Sprintf("h%d.example.", i), "TXT", 60, strings.Repeat("x", i%300))
		changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &set})
	}
	total := 0
	for _, batch := range batches(changes) {
		values, characters := 0, 0
		for _, c := range batch {
			if *c.ResourceRecordSet.Name != fmt.Sprintf("h%d.example.", total) {
				t.Fatalf("%s comes as number %d", *c.ResourceRecordSet.Name, total)
			}
			total++
			values += 2
			characters += 2 * len(*c.ResourceRecordSet.ResourceRecords[0].Value)
		}
		if values > 1000 || characters > 32000 {
			t.Errorf("a batch has %d values of %d characters", values, characters)
		}
	}
	if total != len(changes) || len(batches(nil)) != 0 {
		t.Errorf("%d of %d changes are in batches", total, len(changes))
	}
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	for decimal, octal := range map[string]string{
		`"\195\165"`: `"\303\245"`, `"\\195"`: `"\\195"`, `"\"\009"`: `"\"\011"`, `plain`: `plain`, `"\\\000"`: `"\\\000"`, `end\`: `end\`,
	} {
		if got := inOctal(decimal); got != octal {
			t.Errorf("%s is %s in octal, not %s", decimal, got, octal)
		}
		if got := inDecimal(octal); got != decimal {
			t.Errorf("%s is %s in decimal, not %s", octal, got, decimal)
		}
	}
}
