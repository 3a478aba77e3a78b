package wire

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"domherre/config"
)

// servicesPage says what a URL of each service looks like.
const servicesPage = "https://github.com/nicholas-fedor/shoutrrr"

// notifyService gives the service of a shoutrrr URL: smtp, slack, generic.
func notifyService(raw string) string {
	scheme, _, _ := strings.Cut(raw, "://")
	service, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	return service
}

// checkNotify finds what is wrong with a shoutrrr URL, without telling what is
// in it: it holds credentials.
func checkNotify(raw string) (message, hint string) {
	service := notifyService(raw)
	known := new(router.ServiceRouter).ListServices()
	slices.Sort(known)
	if !slices.Contains(known, service) {
		return service + " is no notification service that is known", "known are " + strings.Join(known, ", ")
	}
	_, err := url.Parse(raw)
	if err == nil && service != "matrix" { // which logs in at once
		_, err = new(router.ServiceRouter).Locate(raw)
	}
	if err != nil {
		return "the URL is not what the service " + service + " wants", servicesPage + " shows its form; signs such as @ and / in a password are percent-encoded"
	}
	return "", ""
}

// Send sends a notification to every URL. It reaches nobody only where there
// is none to reach, or each failed: then reached is false. The error joins
// those of the URLs that failed, without their secrets.
func Send(cfg *config.Config, title, text string) (reached bool, err error) {
	var failures []error
	for _, n := range cfg.Notify {
		if err := sendTo(n.URL.Reveal(), title, text); err != nil {
			failures = append(failures, errors.New(cfg.Redact(fmt.Sprintf("%s: %v", notifyService(n.URL.Reveal()), err))))
			continue
		}
		reached = true
	}
	return reached, errors.Join(failures...)
}

func sendTo(raw, title, text string) error {
	r, err := router.New(nil, raw)
	if err != nil {
		return errors.New("the URL is not what the service wants")
	}
	params := types.Params{}
	if notifyService(raw) == "smtp" {
		params.SetTitle(title)
	} else {
		text = title + "\n\n" + text
	}
	for _, err := range r.Send(text, &params) {
		if err != nil {
			return innermost(err) // those around it may show the URL
		}
	}
	return nil
}

// innermost is the error that others wrap.
func innermost(err error) error {
	for {
		within := errors.Unwrap(err)
		if within == nil {
			return err
		}
		err = within
	}
}
