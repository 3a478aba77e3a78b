package web

import (
	"fmt"

	"domherre/check"
)

// text is what the page says in one language. The words for states and checks
// are those of the CLI and the notifications.
type text struct {
	Lang string // of the html element

	Title, Skip, Attention, AllWell, AllDomains, Reload, Updated                     string
	Domain, State, Check, Since, Finding, Advice, Visits                             string
	Today, Total, Certificate, Names, Issuer, Expires, Renews                        string
	LastError, Checked, Empty, EmptyHint, Unavailable, NotFound, Caption, CaptionOne string
	None, ByPeople                                                                   string

	Overall map[string]string // by overall state
	States  map[string]string // by a check's state
	Checks  map[string]string // by check

	summary func(counts) string
}

// textIn gives the text in a language, English for all but "sv".
func textIn(language string) *text {
	if language == "sv" {
		return swedish()
	}
	return english()
}

func swedish() *text {
	return &text{
		Lang: "sv", Title: "Domäner", Skip: "Hoppa till innehållet", Attention: "Behöver något från dig",
		AllWell: "Inget behöver göras.", AllDomains: "Alla domäner", Reload: "Ladda om sidan", Updated: "Läget",
		Domain: "Domän", State: "Läge", Check: "Kontroll", Since: "Sedan", Finding: "Vad som syns", Advice: "Att göra", Visits: "Besök",
		Today: "i dag", Total: "totalt", Certificate: "Certifikat", Names: "Namn", Issuer: "Utfärdare", Expires: "Går ut", Renews: "Förnyas",
		LastError: "Senaste fel", Checked: "Kontroller", Empty: "Inga domäner ännu.", EmptyHint: "Lägg till en rad i domänfilen, så syns den här.",
		Unavailable: "Läget går inte att hämta just nu. Försök igen om en stund.", NotFound: "Den domänen finns inte i listan.",
		Caption: "Varje domän med läget för varje kontroll", CaptionOne: "Varje kontroll med vad som syns och vad som är att göra", None: "ingen",
		ByPeople: "Därav människor, ungefär",
		Overall: map[string]string{
			check.StateLive: "Fungerar", check.StateWaiting: "Väntar", check.StateBroken: "Fungerar inte",
			check.StateUnknown: "Okänt", check.StatePaused: "Pausad", check.StatePlanned: "Planerad",
		},
		States: map[string]string{check.StateOK: "ok", check.StateWaiting: "väntar", check.StateWarning: "varning", check.StateBroken: "trasig", check.StateUnknown: "okänt"},
		Checks: map[string]string{
			check.CheckDelegation: "Delegering", check.CheckRecords: "DNS-poster", check.CheckDNSSEC: "DNSSEC", check.CheckCertificate: "Certifikat",
			check.CheckRedirect: "Omdirigering", check.CheckMail: "E-postlås", check.CheckRegistration: "Registrering", check.CheckFrontend: "Kampanjsidan",
			"state": "Tillståndet", "config": "Konfigurationen", "guard": "Spärren", "provider": "DNS-leverantören", "leaving": "Domäner som lämnat listan",
		},
		summary: swedishSummary,
	}
}

func english() *text {
	return &text{
		Lang: "en", Title: "Domains", Skip: "Skip to content", Attention: "Needs something from you",
		AllWell: "There is nothing to do.", AllDomains: "All domains", Reload: "Reload the page", Updated: "As of",
		Domain: "Domain", State: "State", Check: "Check", Since: "Since", Finding: "What was seen", Advice: "What to do", Visits: "Visits",
		Today: "today", Total: "in total", Certificate: "Certificate", Names: "Names", Issuer: "Issuer", Expires: "Expires", Renews: "Renews",
		LastError: "Latest error", Checked: "Checks", Empty: "No domains yet.", EmptyHint: "Add a line to the domain file and it shows up here.",
		Unavailable: "The state cannot be read at the moment. Try again in a while.", NotFound: "That domain is not on the list.",
		Caption: "Every domain with the state of each check", CaptionOne: "Every check with what was seen and what to do", None: "none",
		ByPeople: "By people, roughly",
		Overall: map[string]string{
			check.StateLive: "Works", check.StateWaiting: "Waiting", check.StateBroken: "Does not work",
			check.StateUnknown: "Unknown", check.StatePaused: "Paused", check.StatePlanned: "Planned",
		},
		States: map[string]string{check.StateOK: "ok", check.StateWaiting: "waiting", check.StateWarning: "warning", check.StateBroken: "broken", check.StateUnknown: "unknown"},
		Checks: map[string]string{
			check.CheckDelegation: "Delegation", check.CheckRecords: "DNS records", check.CheckDNSSEC: "DNSSEC", check.CheckCertificate: "Certificate",
			check.CheckRedirect: "Redirect", check.CheckMail: "Mail lock", check.CheckRegistration: "Registration", check.CheckFrontend: "The campaign’s site",
			"state": "The state", "config": "The configuration", "guard": "The guard", "provider": "The DNS provider", "leaving": "Domains that left the list",
		},
		summary: englishSummary,
	}
}

// swedishSummary says it all in a few sentences: "48 av 50 domäner fungerar.
// 2 behöver något från dig."
func swedishSummary(c counts) string {
	var s string
	switch active := c.active(); {
	case active == 0:
	case c.live == active && active == 1:
		s = "Domänen fungerar."
	case c.live == active:
		s = fmt.Sprintf("Alla %d domäner fungerar.", active)
	case active == 1:
		s = "Domänen fungerar inte ännu."
	default:
		s = fmt.Sprintf("%d av %d domäner fungerar.", c.live, active)
	}
	s = sentence(s, c.needed, "%d behöver något från dig.", "%d behöver något från dig.")
	s = sentence(s, c.waiting, "%d väntar och blir klar av sig själv.", "%d väntar och blir klara av sig själva.")
	s = sentence(s, c.unknown, "%d kan inte bedömas just nu.", "%d kan inte bedömas just nu.")
	s = sentence(s, c.paused, "%d är pausad.", "%d är pausade.")
	return sentence(s, c.planned, "%d är planerad.", "%d är planerade.")
}

func englishSummary(c counts) string {
	var s string
	switch active := c.active(); {
	case active == 0:
	case c.live == active && active == 1:
		s = "The domain works."
	case c.live == active:
		s = fmt.Sprintf("All %d domains work.", active)
	case active == 1:
		s = "The domain does not work yet."
	default:
		s = fmt.Sprintf("%d of %d domains work.", c.live, active)
	}
	s = sentence(s, c.needed, "%d needs something from you.", "%d need something from you.")
	s = sentence(s, c.waiting, "%d is waiting and will finish by itself.", "%d are waiting and will finish by themselves.")
	s = sentence(s, c.unknown, "%d cannot be judged right now.", "%d cannot be judged right now.")
	s = sentence(s, c.paused, "%d is paused.", "%d are paused.")
	return sentence(s, c.planned, "%d is planned.", "%d are planned.")
}

// sentence adds one about n domains to s, or nothing where n is 0.
func sentence(s string, n int, one, many string) string {
	if n == 0 {
		return s
	}
	if n == 1 {
		many = one
	}
	if s != "" {
		s += " "
	}
	return s + fmt.Sprintf(many, n)
}
