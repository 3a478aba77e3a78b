package check

var redirectSentences = map[sentence]translated{
	leads: {
		line{"Besökare leds till {target}.", ""},
		line{"Visitors are led to {target}.", ""},
	},
	noConnection: {
		line{"{host} nås inte: {address} svarar inte ({reason}).", "Driften: kontrollera att omdirigeraren är igång och nås på {address}."},
		line{"{host} can't be reached: {address} doesn't answer ({reason}).", "Operations: check that the redirector runs and can be reached at {address}."},
	},
	noAnswer: {
		line{"{host} ger inget svar på {address} ({reason}).", "Driften: kontrollera vad som lyssnar på {address}."},
		line{"{host} gives no answer at {address} ({reason}).", "Operations: check what listens at {address}."},
	},
	noRedirect: {
		line{"{host} svarar {seen} i stället för att leda till {target}.", "Driften: kontrollera att {address} är omdirigeraren och att den har läst in domänlistan."},
		line{"{host} answers {seen} instead of leading to {target}.", "Operations: check that {address} is the redirector and that it has loaded the list of domains."},
	},
	wrongTarget: {
		line{"{host} leder fel: {seen} i stället för {target}.", "Driften: kontrollera att {address} är omdirigeraren och att den har läst in domänlistan."},
		line{"{host} leads astray: {seen} instead of {target}.", "Operations: check that {address} is the redirector and that it has loaded the list of domains."},
	},
	wrongStatus: {
		line{"{host} leder rätt, men med {seen} i stället för {want}.", "Driften: kontrollera att omdirigeraren på {address} har läst in redirect.status."},
		line{"{host} leads to the right place, but with {seen} instead of {want}.", "Operations: check that the redirector at {address} has loaded redirect.status."},
	},
	plainMisled: {
		line{"http://{host} svarar {seen} i stället för att leda vidare.", "Driften: kontrollera vad som lyssnar på {address} för HTTP."},
		line{"http://{host} answers {seen} instead of leading on.", "Operations: check what listens for HTTP beside {address}."},
	},
	redirectWaits: {
		line{"Omdirigeringen väntar på certifikatet.", "Vänta: den börjar när certifikatet är klart."},
		line{"The redirect waits for the certificate.", "Wait: it starts once the certificate is there."},
	},
	plannedRedirect: {
		line{"Omdirigeringen börjar vid lanseringen {date}.", ""},
		line{"The redirect starts at the launch on {date}.", ""},
	},
	pausedPage: {
		line{"Domänen är pausad: besökare får en kort sida.", ""},
		line{"The domain is paused: visitors get a short page.", ""},
	},
	stillLeads: {
		line{"Domänen är pausad, men {host} svarar {seen}.", "Driften: kontrollera att omdirigeraren på {address} har läst in domänlistan."},
		line{"The domain is paused, but {host} answers {seen}.", "Operations: check that the redirector at {address} has loaded the list of domains."},
	},
}

var otherSentences = map[sentence]translated{
	mailLocked: {
		line{"Ingen kan skicka e-post i domänens namn.", ""},
		line{"Nobody can send mail in the domain's name.", ""},
	},
	mailKept: {
		line{"Domänens e-post lämnas i fred.", ""},
		line{"The domain's mail is left alone.", ""},
	},
	mailOpen: {
		line{"E-postlåset är inte helt: det saknas {missing}.", "Driften: kör 'domherre plan {domain}' och se varför."},
		line{"The lock against mail in the domain's name isn't whole: it lacks {missing}.", "Operations: run 'domherre plan {domain}' to see why."},
	},
	mailElsewhere: {
		line{"Domänen tar emot e-post på {seen}.", "Används e-posten? Skriv 'mail: keep' för {domain} i domänfilen, annars 'mail: none'."},
		line{"The domain receives mail at {seen}.", "Is that mail in use? Write 'mail: keep' for {domain} in the domain file, else 'mail: none'."},
	},
	mailWaits: {
		line{"E-postlåset väntar på delegeringen.", "Vänta: det börjar gälla när domänen pekar på våra namnservrar."},
		line{"The lock against mail waits for the delegation.", "Wait: it holds once the domain is delegated to our name servers."},
	},
	mailUnseen: {
		line{"E-postlåset gick inte att se ({reason}).", ""},
		line{"The lock against mail couldn't be seen ({reason}).", ""},
	},

	registeredUntil: {
		line{"Domänen är registrerad till {date}.", ""},
		line{"The domain is registered until {date}.", ""},
	},
	registeredUndated: {
		line{"Domänen är registrerad; registret visar inte till när.", ""},
		line{"The domain is registered; the registry doesn't show until when.", ""},
	},
	endingSoon: {
		line{"Registreringen går ut {date}, om {days} dagar.", "Kontrollera hos {registrar} att {domain} förnyas. En domän som släpps kan tas av vem som helst."},
		line{"The registration ends on {date}, in {days} days.", "Check with {registrar} that {domain} is renewed. A domain that is let go can be taken by anybody."},
	},
	registrationOver: {
		line{"Registreringen gick ut {date}.", "Förnya {domain} hos {registrar} nu, innan någon annan kan ta den."},
		line{"The registration ended on {date}.", "Renew {domain} with {registrar} now, before anybody else can take it."},
	},
	onHold: {
		line{"Domänen är avstängd ({status}).", "Fråga {registrar} varför {domain} är avstängd och vad som krävs för att öppna den."},
		line{"The domain is on hold ({status}).", "Ask {registrar} why {domain} is on hold and what it takes to release it."},
	},
	beingDeleted: {
		line{"Domänen är på väg att tas bort ({status}).", "Ring {registrar} i dag och begär att {domain} återställs."},
		line{"The domain is being deleted ({status}).", "Call {registrar} today and ask for {domain} to be restored."},
	},
	unregistered: {
		line{"Domänen är inte registrerad.", "Registrera {domain}, eller ta bort den ur domänfilen."},
		line{"The domain isn't registered.", "Register {domain}, or remove it from the domain file."},
	},
	registrySilent: {
		line{"Registret gick inte att fråga ({reason}).", ""},
		line{"The registry couldn't be asked ({reason}).", ""},
	},
	registryOff: {
		line{"Registret tillfrågas inte: check.rdap är avstängt.", ""},
		line{"The registry isn't asked: check.rdap is off.", ""},
	},

	frontendUp: {
		line{"{target} svarar.", ""},
		line{"{target} answers.", ""},
	},
	frontendDown: {
		line{"{target} fungerar inte ({reason}). Domänerna leder dit ändå.", "Be den som driver kampanjsidan att rätta till den."},
		line{"{target} doesn't work ({reason}). The domains lead there all the same.", "Ask who runs the campaign's site to mend it."},
	},
	frontendNowhere: {
		line{"{target} har ingen adress i DNS. Domänerna leder dit ändå.", "Be den som driver kampanjsidan att rätta dess DNS, eller ändra frontend i domherre.yaml."},
		line{"{target} has no address in DNS. The domains lead there all the same.", "Ask who runs the campaign's site to mend its DNS, or change frontend in domherre.yaml."},
	},
	frontendUnseen: {
		line{"{target} gick inte att nå härifrån ({reason}).", "Driften: kontrollera nätet och de resolvrar som kontrollen använder."},
		line{"{target} couldn't be reached from here ({reason}).", "Operations: check the network and the resolvers that the checks use."},
	},
}
