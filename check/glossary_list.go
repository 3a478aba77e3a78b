package check

// ListFault words what is wrong with a line of the domain list, or the hint
// beside it, which the program gave in English: in Swedish for "sv". Faults that
// staff don't make by editing the list stay as they are.
func ListFault(language, text string) string {
	if language != swedish {
		return text
	}
	for _, rule := range listGlossary() {
		if rule.english.MatchString(text) {
			return rule.english.ReplaceAllString(text, rule.swedish)
		}
	}
	return text
}

// listGlossary has whole texts: what staff typed stands in them as it is.
var listGlossary = rules(
	// Names.
	`^(".*") is empty$`, `$1 är tomt`,
	`^(".*") is an IP address$`, `$1 är en IP-adress`,
	`^(".*") is a URL$`, `$1 är en webbadress, inte bara ett namn`,
	`^(".*") is an e-mail address$`, `$1 är en e-postadress`,
	`^(".*") is a wildcard$`, `$1 är ett jokernamn`,
	`^(".*") is a host of (.+)$`, `$1 är ett namn under $2`,
	`^(".*") is a public suffix, not a domain$`, `$1 är en ändelse som många delar, ingen domän`,
	`^(".*") is more than a name$`, `$1 är mer än ett namn`,
	`^(".*") is not valid UTF-8$`, `$1 är inte giltig UTF-8`,
	`^(".*") is not allowed by IDNA 2008 \((.*)\)$`, `$1 tillåts inte i domännamn ($2)`,
	`^(".*") ends in a number, which no top-level domain does$`, `$1 slutar med ett tal, och det gör ingen toppdomän`,
	`^(".*") has a port$`, `$1 har ett portnummer`,
	`^(".*") has no top-level domain$`, `$1 saknar toppdomän`,
	`^(".*") has an empty label$`, `$1 har en tom del mellan punkter`,
	`^(".*") has a label that starts with a hyphen$`, `$1 har en del som börjar med bindestreck`,
	`^(".*") has a label that ends with a hyphen$`, `$1 har en del som slutar med bindestreck`,
	`^(".*") has hyphens as third and fourth character of a label$`, `$1 har bindestreck som tredje och fjärde tecken i en del`,
	`^(".*") has a label of more than 63 characters in its A-label form$`, `$1 har en del som är längre än 63 tecken i DNS`,
	`^(".*") contains an underscore$`, `$1 innehåller ett understreck`,
	`^(".*") contains a space (\(U\+\w+\))$`, `$1 innehåller ett mellanslag $2`,
	`^(".*") contains the control character (U\+\w+)$`, `$1 innehåller styrtecknet $2`,
	`^(".*") contains the invisible character (U\+\w+)$`, `$1 innehåller det osynliga tecknet $2`,
	`^(".*") contains (".+" \(U\+\w+\)) instead of a full stop$`, `$1 innehåller $2 i stället för en punkt`,
	`^(".*") contains (".+" \(U\+\w+\)), which only looks like (".+")$`, `$1 innehåller $2, som bara liknar $3`,
	`^(".*") contains (".+" \(U\+\w+\)), which is no letter, digit or hyphen$`, `$1 innehåller $2, som varken är bokstav, siffra eller bindestreck`,
	`^(".*") contains (".+" \(U\+\w+\)), which cannot be registered below (\S+)$`, `$1 innehåller $2, som inte går att registrera under $3`,
	`^(".*") contains (".+" \(U\+\w+\)) where it is not allowed$`, `$1 innehåller $2 där det inte är tillåtet`,
	`^(".*") contains (".+" \(U\+\w+\)) where the registry of (\S+) does not allow it$`, `$1 innehåller $2 där registret för $3 inte tillåter det`,
	`^(".*") mixes (\S+) letters with the (\S+) (".+" \(U\+\w+\))$`, `$1 blandar alfabet: $4 är ett annat tecken ($3) än det ser ut som`,
	`^(".*") has the label (".+"), which decodes to nothing$`, `$1 har delen $2, som inte går att avkoda`,
	`^(".*") has the label (".+"), which is not the A-label of (".+")$`, `$1 har delen $2, som inte är DNS-formen av $3`,
	// Entries.
	`^(.+) is listed twice: first at (.+)$`, `$1 står två gånger: först på $2`,
	`^(.+) would serve (.+), which is the frontend itself: a redirect without end$`, `$1 skulle svara för $2, som är själva kampanjsidan: en omdirigering utan slut`,
	`^(.+) leads to (.+), which is a domain of this list itself \((.+)\)$`, `$1 leder till $2, som själv står i listan ($3)`,
	`^frontend: (".*") isn't https: what visitors do there could be read on the way$`, `frontend: $1 är inte https: vad besökare gör där kan läsas på vägen`,
	`^(\S+): (".*") is no date$`, `$1: $2 är inget datum`,
	`^(\S+): takes true or false, not (".*")$`, `$1: ska vara true eller false, inte $2`,
	`^(\S+): takes yes or no, not (".*")$`, `$1: ska vara yes eller no, inte $2`,
	`^unknown key (.+)$`, `okänt ord före kolon: $1`,
	`^unknown column (.+)$`, `okänd kolumn $1`,
	`^the first line has no column domain$`, `första raden har ingen kolumn domain`,
	`^the line names no domain$`, `raden har ingen domän`,
	`^this field belongs to no column$`, `fältet hör inte till någon kolumn`,
	`^the file lists no domain$`, `filen har ingen domän`,
	`^the file is UTF-16$`, `filen är sparad som UTF-16`,
	`^the file isn't text$`, `filen är ingen textfil`,
	`^(.+) stands before a colon$`, `$1 står före ett kolon`,
	`^name is missing$`, `name saknas`,
	`^broken CSV: (.+)$`, `filen är ingen riktig CSV: $1`,
	// Hints.
	`^write (\S+); www is added by dns\.hosts$`, `skriv $1; www läggs till av sig självt`,
	`^write (\S+) and list (".+") in its dns\.hosts$`, `skriv $1 och $2 i dess dns.hosts`,
	`^write (\S+); "\*" is added by dns\.hosts$`, `skriv $1; "*" läggs till av dns.hosts`,
	`^write "\." between labels$`, `skriv "." mellan delarna`,
	`^write - name: (\S+)$`, `skriv - name: $1`,
	`^write ([^\s,;]+)$`, `skriv $1`,
	`^write a name such as (\S+)$`, `skriv ett namn som $1`,
	`^write a name below it, such as (\S+)$`, `skriv ett namn under den, som $1`,
	`^write the whole name, such as (\S+)$`, `skriv hela namnet, som $1`,
	`^write the name without spaces$`, `skriv namnet utan mellanslag`,
	`^write letters, digits and hyphens only$`, `skriv bara bokstäver, siffror och bindestreck`,
	`^write one name a line; # starts a comment$`, `skriv ett namn per rad; efter # får en anteckning stå`,
	`^write each domain on a line of its own: a dash, a space, the name$`, `skriv varje domän på en egen rad: bindestreck, mellanslag, namnet`,
	`^write one dot between labels, none before or behind them$`, `skriv en punkt mellan delarna, ingen före eller efter`,
	`^write the name with its letters$`, `skriv namnet med dess bokstäver`,
	`^write year-month-day, such as (\S+)$`, `skriv år-månad-dag, som $1`,
	`^write it in the column domain$`, `skriv den i kolumnen domain`,
	`^write dns: (.+) at this domain, or lead elsewhere$`, `skriv dns: $1 vid domänen, eller led någon annanstans`,
	`^lead elsewhere, or take the domain off the list$`, `led någon annanstans, eller stryk domänen ur listan`,
	`^delete it and type the name anew$`, `ta bort det och skriv namnet på nytt`,
	`^type the name anew, in one alphabet$`, `skriv namnet på nytt, i ett alfabet`,
	`^remove the hyphen$`, `ta bort bindestrecket`,
	`^remove one; only xn-- may stand there$`, `ta bort det ena; bara xn-- får stå så`,
	`^the first line names the columns: (.+)$`, `första raden ger kolumnernas namn: $1`,
	`^shorten it$`, `korta det`,
	`^keep one of the two$`, `behåll den ena`,
	`^leave it empty for no$`, `lämna tomt för nej`,
	`^did you mean (.+)\?$`, `menade du $1?`,
	`^save the file as UTF-8$`, `spara filen som UTF-8`,
	`^save it as 'CSV UTF-8'(?:, not as a workbook)?$`, `spara den som "CSV UTF-8", inte som arbetsbok`,
	`^see the registry's (?:\S+ )?table(?: of letters)?, (\S+)$`, `se registrets tabell över bokstäver: $1`,
)
