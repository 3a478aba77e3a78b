package check

import "maps"

// catalogue holds every sentence. Findings are for everybody; advice says who
// must do what: staff, the registrar, or operations.
var catalogue = merged(dnsSentences, certificateSentences, redirectSentences, otherSentences)

func merged(parts ...map[sentence]translated) map[sentence]translated {
	all := map[sentence]translated{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

var dnsSentences = map[sentence]translated{
	resolversSilent: {
		line{"Det gick inte att fråga DNS ({reason}).", "Driften: kontrollera nätet och de resolvrar som kontrollen använder. Domänen själv behöver ingen åtgärd."},
		line{"DNS couldn't be asked ({reason}).", "Operations: check the network and the resolvers that the checks use. Nothing needs doing about the domain itself."},
	},
	delegated: {
		line{"Domänen pekar på {seen}.", ""},
		line{"The domain is delegated to {seen}.", ""},
	},
	delegatedElsewhere: {
		line{"Domänen pekar på {seen}, inte på {nameservers}.", "Be {registrar} att ändra namnservrarna för {domain} till {nameservers}."},
		line{"The domain is delegated to {seen}, not to {nameservers}.", "Ask {registrar} to set the name servers of {domain} to {nameservers}."},
	},
	delegatedAlso: {
		line{"Domänen pekar även på {foreign}, som inte är våra.", "Be {registrar} att ta bort {foreign} ur namnservrarna för {domain}."},
		line{"The domain is also delegated to {foreign}, which isn't ours.", "Ask {registrar} to take {foreign} out of the name servers of {domain}."},
	},
	delegatedPartly: {
		line{"Domänen pekar inte på {missing}, bara på {seen}.", "Be {registrar} att lägga till {missing} bland namnservrarna för {domain}."},
		line{"The domain isn't delegated to {missing}, only to {seen}.", "Ask {registrar} to add {missing} to the name servers of {domain}."},
	},
	notDelegated: {
		line{"Domänen finns inte i DNS: den är inte registrerad, saknar namnservrar eller är avstängd.", "Fråga {registrar} om {domain} är registrerad och betald, och be att namnservrarna sätts till {nameservers}."},
		line{"The domain isn't in DNS: it isn't registered, has no name servers, or is on hold.", "Ask {registrar} whether {domain} is registered and paid, and to set its name servers to {nameservers}."},
	},
	lame: {
		line{"Namnservrarna som domänen pekar på svarar inte för den ({reason}).", "Driften: kontrollera att {nameservers} är igång och har zonen. Är de rätt? Annars ska {registrar} ändra dem."},
		line{"The name servers that the domain is delegated to don't answer for it ({reason}).", "Operations: check that {nameservers} run and have the zone. If others are meant, {registrar} must change them."},
	},

	notSeenYet: {
		line{"Inte kontrollerat än.", ""},
		line{"Not looked at yet.", ""},
	},

	servedEverywhere: {
		line{"Alla namnservrar ({count}) svarar rätt.", ""},
		line{"All name servers ({count}) answer as they should.", ""},
	},
	servedWrong: {
		line{"Ingen namnserver svarar rätt: {reason}.", "Driften: kör 'domherre plan {domain}' och sedan 'domherre apply {domain}'."},
		line{"No name server answers as it should: {reason}.", "Operations: run 'domherre plan {domain}', then 'domherre apply {domain}'."},
	},
	servedPartly: {
		line{"{wrong} svarar inte rätt än: {reason}.", "Vänta: namnservrar som hämtar zonen från en annan blir klara av sig själva."},
		line{"{wrong} doesn't answer as it should yet: {reason}.", "Wait: name servers that copy the zone from another one catch up by themselves."},
	},
	servedPartlyLong: {
		line{"{wrong} svarar sedan länge fel: {reason}.", "Driften: kontrollera zonöverföringen till {wrong} hos DNS-leverantören."},
		line{"{wrong} has answered wrongly for long: {reason}.", "Operations: check with the DNS provider why {wrong} doesn't get the zone."},
	},
	servedButSilent: {
		line{"{silent} svarar inte ({reason}); de andra svarar rätt.", "Driften: kontrollera {silent}. Domänen fungerar tack vare de andra."},
		line{"{silent} doesn't answer ({reason}); the others answer as they should.", "Operations: check {silent}. The domain works thanks to the others."},
	},
	serversSilent: {
		line{"Ingen namnserver svarar: {reason}.", "Driften: kontrollera att {nameservers} är igång och nås härifrån."},
		line{"No name server answers: {reason}.", "Operations: check that {nameservers} run and can be reached from here."},
	},
	noServers: {
		line{"Det är inte känt vilka namnservrar som ska svara.", "Driften: ange nameservers för leverantören i domherre.yaml."},
		line{"It isn't known which name servers should answer.", "Operations: set nameservers for the provider in domherre.yaml."},
	},
	nothingWanted: {
		line{"Domänen ska inte ha några DNS-poster.", ""},
		line{"The domain is meant to have no records.", ""},
	},

	signed: {
		line{"Domänen är signerad med DNSSEC och signaturen stämmer.", ""},
		line{"The domain is signed by DNSSEC, and the signature holds.", ""},
	},
	unsigned: {
		line{"Domänen är inte signerad med DNSSEC, vilket går bra.", ""},
		line{"The domain isn't signed by DNSSEC, which is fine.", ""},
	},
	bogus: {
		line{"DNSSEC är trasigt ({reason}): många besökare når inte domänen.", "Be {registrar} att ta bort DS-posterna för {domain}, eller driften att signera zonen med nycklarna som de pekar på."},
		line{"DNSSEC is broken ({reason}): many visitors can't reach the domain.", "Ask {registrar} to remove the DS records of {domain}, or operations to sign the zone with the keys that they name."},
	},
	notValidating: {
		line{"Domänen är signerad, men resolvern kontrollerar inte DNSSEC.", "Driften: ange en validerande resolver under check.resolvers för att se om signaturen stämmer."},
		line{"The domain is signed, but the resolver doesn't validate DNSSEC.", "Operations: name a validating resolver in check.resolvers to see whether the signature holds."},
	},
	dnssecUnseen: {
		line{"DNSSEC går inte att bedöma så länge domänen inte svarar i DNS.", ""},
		line{"DNSSEC can't be judged while the domain doesn't answer in DNS.", ""},
	},
}

var certificateSentences = map[sentence]translated{
	certified: {
		line{"Certifikatet från {issuer} gäller till {date}.", ""},
		line{"The certificate from {issuer} is valid until {date}.", ""},
	},
	internalIssuer: {
		line{"Certifikatet gäller till {date}, men kommer från den interna utfärdaren: webbläsare varnar för det.", "Driften: ange en utfärdare under tls.issuers i domherre.yaml innan kampanjen startar."},
		line{"The certificate is valid until {date} but comes from the internal CA: browsers warn about it.", "Operations: set an issuer in tls.issuers of domherre.yaml before the campaign starts."},
	},
	renewalLate: {
		line{"Certifikatet gäller {days} dagar till och borde ha förnyats ({reason}).", "Driften: se 'domherre certs list' och rätta felet. Nya försök görs av sig själva."},
		line{"The certificate is valid for {days} more days and should have been renewed ({reason}).", "Operations: see 'domherre certs list' and mend the cause. It is tried again by itself."},
	},
	nearlyOver: {
		line{"Certifikatet går ut {date}, om {days} dagar, och förnyelsen misslyckas ({reason}).", "Driften: rätta felet nu och kör 'domherre certs renew {domain}'."},
		line{"The certificate ends on {date}, in {days} days, and its renewal fails ({reason}).", "Operations: mend the cause now and run 'domherre certs renew {domain}'."},
	},
	expired: {
		line{"Certifikatet för {host} gick ut {date}: webbläsare varnar besökarna.", "Driften: kör 'domherre certs renew {domain}' och se vad som hindrar förnyelsen."},
		line{"The certificate of {host} ended on {date}: browsers warn visitors.", "Operations: run 'domherre certs renew {domain}' and see what keeps it from being renewed."},
	},
	wrongName: {
		line{"{host} visar ett certifikat för {names}.", "Driften: kontrollera att {address} är omdirigeraren och kör 'domherre certs renew {domain}'."},
		line{"{host} shows a certificate for {names}.", "Operations: check that {address} is the redirector, and run 'domherre certs renew {domain}'."},
	},
	untrusted: {
		line{"Certifikatet för {host} är inte betrott ({reason}); det är utfärdat av {issuer}.", "Driften: kontrollera tls.issuers, och roots om utfärdaren är egen, i domherre.yaml."},
		line{"The certificate of {host} isn't trusted ({reason}); it was issued by {issuer}.", "Operations: check tls.issuers, and roots for an issuer of your own, in domherre.yaml."},
	},
	notIssued: {
		line{"Inget certifikat har utfärdats: {reason}.", "Driften: rätta felet. Nya försök görs av sig själva; 'domherre certs renew {domain}' försöker genast."},
		line{"No certificate was issued: {reason}.", "Operations: mend the cause. It is tried again by itself; 'domherre certs renew {domain}' tries at once."},
	},
	notPermitted: {
		line{"Inget certifikat beställs: {reason}.", "Driften: ändra CAA-posterna (dns.caa för {domain}), så att någon utfärdare i tls.issuers får utfärda."},
		line{"No certificate is ordered: {reason}.", "Operations: change the CAA records (dns.caa of {domain}), so that an issuer under tls.issuers may issue."},
	},
	issueWaits: {
		line{"Certifikatet väntar: {reason}.", "Vänta: det beställs när hindret är borta."},
		line{"The certificate waits: {reason}.", "Wait: it is ordered once nothing stands in the way."},
	},
	beingIssued: {
		line{"Certifikatet är på väg.", "Vänta: det brukar ta några sekunder."},
		line{"The certificate is on its way.", "Wait: it usually takes seconds."},
	},
	certificateUnseen: {
		line{"Certifikatet gick inte att se: {address} svarar inte ({reason}).", "Driften: kontrollera att omdirigeraren är igång och nås på {address}."},
		line{"The certificate couldn't be seen: {address} doesn't answer ({reason}).", "Operations: check that the redirector runs and can be reached at {address}."},
	},
	plannedCertificate: {
		line{"Certifikatet beställs vid lanseringen {date}.", ""},
		line{"The certificate is ordered at the launch on {date}.", ""},
	},
	noSecure: {
		line{"{host} svarar inte på HTTPS ({reason}).", "Driften: kontrollera omdirigeraren på {address} och se 'domherre certs list'."},
		line{"{host} doesn't answer by HTTPS ({reason}).", "Operations: check the redirector at {address} and see 'domherre certs list'."},
	},
	noAddresses: {
		line{"Det är inte känt vart besökare ska komma.", "Driften: ange dns.addresses och dns.hosts i domherre.yaml."},
		line{"It isn't known where visitors should arrive.", "Operations: set dns.addresses and dns.hosts in domherre.yaml."},
	},
}
