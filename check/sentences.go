package check

// The sentences, by what they say. Each has its text in catalogue.
const (
	resolversSilent    sentence = "resolvers-silent"
	delegated          sentence = "delegated"
	delegatedElsewhere sentence = "delegated-elsewhere"
	delegatedAlso      sentence = "delegated-also"
	delegatedPartly    sentence = "delegated-partly"
	notDelegated       sentence = "not-delegated"
	lame               sentence = "lame"

	servedEverywhere sentence = "served"
	servedWrong      sentence = "served-wrong"
	servedPartly     sentence = "served-partly"
	servedPartlyLong sentence = "served-partly-long"
	servedButSilent  sentence = "served-but-silent"
	serversSilent    sentence = "servers-silent"
	noServers        sentence = "no-servers"
	nothingWanted    sentence = "nothing-wanted"

	notSeenYet sentence = "not-seen-yet"

	signed        sentence = "signed"
	unsigned      sentence = "unsigned"
	bogus         sentence = "bogus"
	notValidating sentence = "not-validating"
	dnssecUnseen  sentence = "dnssec-unseen"

	certified          sentence = "certified"
	internalIssuer     sentence = "internal-issuer"
	renewalLate        sentence = "renewal-late"
	nearlyOver         sentence = "nearly-over"
	expired            sentence = "expired"
	wrongName          sentence = "wrong-name"
	untrusted          sentence = "untrusted"
	notIssued          sentence = "not-issued"
	notPermitted       sentence = "certificate-not-permitted"
	issueWaits         sentence = "issue-waits"
	beingIssued        sentence = "being-issued"
	certificateUnseen  sentence = "certificate-unseen"
	plannedCertificate sentence = "planned-certificate"
	noSecure           sentence = "no-secure"
	noAddresses        sentence = "no-addresses"

	leads           sentence = "leads"
	noConnection    sentence = "no-connection"
	noAnswer        sentence = "no-answer"
	noRedirect      sentence = "no-redirect"
	wrongTarget     sentence = "wrong-target"
	wrongStatus     sentence = "wrong-status"
	plainMisled     sentence = "plain-misled"
	redirectWaits   sentence = "redirect-waits"
	plannedRedirect sentence = "planned-redirect"
	pausedPage      sentence = "paused-page"
	stillLeads      sentence = "still-leads"

	mailLocked    sentence = "mail-locked"
	mailKept      sentence = "mail-kept"
	mailOpen      sentence = "mail-open"
	mailElsewhere sentence = "mail-elsewhere"
	mailUnseen    sentence = "mail-unseen"
	mailWaits     sentence = "mail-waits"

	registeredUntil   sentence = "registered-until"
	registeredUndated sentence = "registered-undated"
	endingSoon        sentence = "ending-soon"
	registrationOver  sentence = "registration-over"
	onHold            sentence = "on-hold"
	beingDeleted      sentence = "being-deleted"
	unregistered      sentence = "unregistered"
	registrySilent    sentence = "registry-silent"
	registryOff       sentence = "registry-off"

	frontendUp      sentence = "frontend-up"
	frontendDown    sentence = "frontend-down"
	frontendNowhere sentence = "frontend-nowhere"
	frontendUnseen  sentence = "frontend-unseen"
)

// Phrases that stand in for a name or a reason that isn't known.
var (
	theRegistrar   = phrase{"registraren", "the registrar"}
	ourNameservers = phrase{"våra namnservrar", "our name servers"}
	noReason       = phrase{"inget skäl angivet", "no reason given"}
)

var swedishTitles = map[string]string{
	CheckDelegation: "delegering", CheckRecords: "DNS-poster", CheckDNSSEC: "DNSSEC", CheckCertificate: "certifikat",
	CheckRedirect: "omdirigering", CheckMail: "e-postlås", CheckRegistration: "registrering", CheckFrontend: "kampanjsida",
}
