"""Words that carry mood in customer-support text, German and English, as data.

An entry is a word, a phrase of two or three words, or a stem that ends in `*` and stands for every word that
starts with it (inflection, compounds). Its valence is a float from -4 (as bad as it gets) to 4 (as good as it
gets). Entries are lower case; umlauts are written as umlauts, the matcher also finds ae, oe, ue and ss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def _by_entry(groups: Mapping[float, str]) -> dict[str, float]:
    """Entry to valence, from valence to entries that commas and new lines separate."""
    return {
        entry: valence
        for valence, entries in groups.items()
        for entry in map(str.strip, entries.replace("\n", ",").split(","))
        if entry
    }


GERMAN: Mapping[str, float] = _by_entry(
    {
        -3.4: """
            katastroph*, desaster*, unzumutbar*, frechheit*, unverschämt*, inakzeptabel*, nicht akzeptabel
            nie wieder, nie mehr wieder, abzocke*, abgezockt, betrug*, betrüg*, betrog*, unter aller sau
            hass, hasse, hasst, hassen, arschloch*, arschlöcher*, scheiße, scheiss, scheissdreck
            drecksladen, saftladen, horror*, grauenhaft*, grauenvoll*, albtraum*, alptraum*, widerlich*
            nie im leben, danke für nichts, eine zumutung
        """,
        -2.8: """
            furchtbar*, fürchterlich*, schrecklich*, entsetz*, empör*, skandal*, grottig*, grottenschlecht*
            unterirdisch*, miserabel*, miserable*, erbärmlich*, abscheulich*, ekelhaft*, eklig*, ekel
            wütend*, wut, stinksauer*, fassungslos*, unfassbar schlecht, lächerlich*, peinlich*, schande
            schändlich*, unerhört*, dreist*, idiot*, verarsch*, beschissen*, kotz*, zum kotzen, schrott*
            müll, mist, mistding, drecks*, unbrauchbar*, wertlos*, nutzlos*, respektlos*
            menschenverachtend*, rotz*, verdammte scheiße, lüge*, gelogen, lügner*, anwalt einschalten
            rechtsanwalt*, arglist*, zumutung*, unmöglichkeit, totalausfall*, fick*, wichser*, hurensohn*
            schweinerei*, sauerei*, nie wieder kaufen, ausrast*
        """,
        -2.3: """
            enttäusch*, kaputt*, unfähig*, inkompeten*, verärger*, ärger*, sauer, wucher*, unprofessionell*
            unfreundlich*, unhöflich*, unseriös*, unzuverlässig*, unzufrieden*, schlecht*, schlimm*, übel*
            mangelhaft*, ungenügend*, frust*, nerv*, genervt*, ignorier*, ignoran*, versag*, vergeblich*
            sinnlos*, hoffnungslos*, chaos*, chaotisch*, unfair*, ungerecht*, arrogant*, patzig*, pampig*
            schnippisch*, herablassend*, abgewimmelt, abwimmel*, verzweifel*, unverständlich*
            nicht hinnehmbar, geldverschwendung, zeitverschwendung, verschwend*, verschwendung*, im stich
            dumm*, blöd*, bescheuert*, doof*, traurig*, tot, gestorben, krank*, angst, ängst*, weinen
            heul*, schmerz*, grausam*, brutal*, dämlich*, schwachsinn*, unsinn, blödsinn, verschlimm*
            hinhaltetaktik, rumgeeier, armutszeugnis, kundenunfreundlich*, kundenfeindlich*, unmöglich*
            hilflos*, hintergangen, misshandel*, beleidig*
        """,
        -1.8: """
            ausfall*, ausgefallen*, defekt*, absturz*, abgestürzt*, abstürz*, stürzt ab, stürzt ständig
            störung*, gestört*, beschwer*, reklam*, reklamation*, mangel, mängel*, beschädig*, schaden
            schäden, zerstör*, zerbroch*, gebrochen*, zerkratzt*, zerrissen*, verdorben*, verloren*
            verlust*, verlor, verschwunden*, gescheitert*, scheiter*, fehlschlag*, fehlgeschlagen*
            schlägt fehl, blockiert*, gesperrt*, überfordert*, umständlich*, unübersichtlich*, kompliziert*
            unklar*, unbefriedigend*, unangemessen*, überteuert*, mahnung*, mahnbescheid*, inkasso*
            verbraucherschutz*, verbraucherzentrale, bewertung negativ, widerspruch*, falsch abgebucht
            doppelt abgebucht, zu unrecht, unrecht, unberechtigt*, unautorisiert*, gehackt*, missbrauch*
            gefährlich*, verletz*, schuld, vorwurf*, bedroh*, drohung*, droht, hängengelassen, hingehalten
            vertröst*, warteschleife*, stundenlang*, tagelang*, wochenlang*, monatelang*, seit stunden
            seit tagen, seit wochen, seit monaten, ewig*, ewigkeit*, fristlos*, nachteil*, ratlos*
            langweil*, einsam*, hunger, müde, nervig*, anstrengend*, stress*, elend*, mies*, lahm*
            unangenehm*, störend*, stört, unlogisch*, verseucht*, virus, datenverlust*, stillstand*
            lieferverzug, opfer*, tödlich*, krise*, krieg, unfall*, arm, arme, armer, schmutz*, dreckig*
            verdreckt*, stinkt, stinken*, gestank, verbockt*, vermasselt*, verpfuscht*, pfusch*, murks
            versaut*, versauen, verdirbt, gefährd*, stürzt immer
        """,
        -1.3: """
            leider, schade, bedauerlich*, verspät*, verzöger*, verzug, überfällig*, langsam*, ruckel*
            hängt sich, hängt, eingefroren*, friert ein, wartezeit*, vergessen*, falsch*, fehlt, fehlen
            fehlend*, fehlte, verpass*, unvollständig*, ungenau*, unpünktlich*, unnötig*, storniert*
            stornier*, kündig*, gekündigt*, rückerstattung*, erstattung*, umtausch*, rückgabe
            zurückgeschickt, zurückschicken, geld zurück, abgelehnt*, ablehn*, verweiger*, weiger*
            verwehrt*, teuer, teure*, gebühr*, strafe, schwierig*, schwer, mühsam*, lästig*, merkwürdig*
            seltsam*, komisch*, verwirr*, verwundert*, vermiss*, sorge, sorgen, besorgt*, beunruhig*
            bedenken, zweifel*, misstrau*, skeptisch*, nachlässig*, schlampig*, abgebrochen*, abbruch
            abbrüche, bricht ab, getrennt, unterbroch*, lücke*, veraltet*, immer noch, noch immer
            schon wieder, zum wiederholten mal, wiederholt*, zum dritten mal, angeblich*, warte seit
            warten seit, dauernd*, immer wieder, kein bock, keine lust, ohne erfolg, geht garnicht
            geht gar nicht, unverändert*, instabil*, allein gelassen, verliert, verlieren, pech, fluch*
            fiese*, fies, gemein, gemeine, hohl, sinkt, schwach*, schwäche*, leid, leiden, leidet, protest*
            warnung*, gewarnt, rückschlag*, niederlage*, keine ahnung, sperre, sperrung*, schuldig, hart
            langwierig*, bürokrat*, abgelaufen*, verfallen*, ständig, ständige, ständigen, ständiger
            ständiges, kritisch*, gefahr, warum wird nicht, streit, streitig*
        """,
        -0.9: """
            problem*, fehler*
        """,
        -0.7: """
            warte, warten, wartet, gewartet, warum, wieso, weshalb, noch nicht, zurückgeben, ersatz*
            nachbesser*, zurückgesendet, zu spät, spät, zu wenig, zu viel, zu lange, zu teuer, vergebens
            nachgehakt, nachfrage, endlich mal, überrascht, gar nicht, kaputtgeht, hmm, naja, na ja, nunja
            ähm, wohl kaum, seit über, dringend*, eilt, erneut, mehrfach, mehrmals
        """,
        0.0: """
            freundlichen grüßen, freundliche grüße, freundlichem gruß, freundlichen gruß, beste grüße
            besten grüßen, viele grüße, vielen grüßen, liebe grüße, lieben grüßen, schöne grüße
            herzliche grüße, herzlichen grüßen, sehr geehrte, sehr geehrter, guten tag, guten abend
            schönen tag, schönen gruß, nicht nur, warum nicht, wieso nicht, gut möglich, wenn nicht
            ob nicht, oder nicht, bestens bekannt, sowie, fehlercode, fehlermeldung*, fehlernummer*
            weinkarte*, schadensnummer, problemstellung*, herr, frau, liebe kollegen, beschwerdestelle*
            reklamationsnummer, schwerin*, fehlersuche, schwerpunkt*, hasselt*, nervensystem*
            vielleicht nicht, nicht zuletzt, zufrieden stellen, sicher sein, gern geschehen, totaler, total
            störungsdienst, warte nicht, sauerstoff*, sauerland*, falls nicht, kriege, kriegen, kriegt
            kriegst, hängt davon, hängt von, supervis*, krankenhaus*, krankenkasse*, krankenversicher*
            erfolgt*, erfolgen, erfolgte*, verfolg*, gefahren, entschuldig*, ankündig*, angekündigt*
            verkünd*, unendlich*, beständig*, selbständig*, selbstständig*, fehlerbehebung*, fehleranalyse*
            problemlösung*, schadensersatz*, passt auf, besserwiss*, liebes, lieber, nachverfolg*
            rückverfolg*, zurückverfolg*, aufmerksamkeit*, gewinnspiel*, kundenzufriedenheit*
        """,
        0.3: """
            gern, gerne, richtig, kostenlos*, gratis, ok, okay, okey, guten morgen, stimmt, liebe
        """,
        0.4: """
            lieben, verbesser*, schnell, schnelle
        """,
        0.7: """
            passt, ausreichend*, akzeptabel*, erreichbar*, verständlich*, immerhin, neu wie, interessant*
            gespannt, neugierig, entspannt*, ruhig*, hoffnung*, mag, mögen, tatsächlich gut, geklärt
            erledigt, endlich, besser*, willkommen, günstig*
        """,
        1.3: """
            dank, merci, bedank*, dankbar*, höflich*, gut, nett*, einfach zu, solide*, fair, faire, fairer
            angenehm*, pünktlich*, rechtzeitig*, flott*, flink*, zügig*, nützlich*, übersichtlich*
            verständnisvoll*, behoben, gelöst, funktioniert wieder, läuft wieder, geht wieder, klappt
            geklappt, gelingt, erfolg*, empfahl, seriös*, vertrauenswürdig*, vertrauen*, kulanz*
            fachkundig*, kompetenz*, sympathisch*, gefällt, gefallen, gefiel, praktisch, sauber*, stabil*
            preiswert*, lohnt, lohnenswert*, froh*, fröhlich*, lustig*, witzig*, lieb, süß*, lecker*
            gemütlich*, niedlich*, freut, freue, freu, freuen, gefreut, freude*, haha*, hihi*, hehe*, lach*
            lächel*, lol, grins*, yay, juhu*, jippie, hurra, hübsch*, cool*, nice, yeah, gewonnen, gewinn*
            sieg*, kein problem, keine probleme, nicht schlecht, alles gut, alles klar, keine sorge
            schlaf gut, träum*, genieß*, wohl fühlen, wohlfühl*, geborgen*, schick*, stolz*, spaß*
            hoffnungsvoll*, optimist*, gute besserung, viel glück, glück, glücklicherweise, sorglos*
            stressfrei*, zufriedenstellend*, sorgfältig*, aufmerksam*, entgegenkommend*, transparent*
            ordentlich*, gute nacht, gut aus
        """,
        1.6: """
            top service, top qualität
        """,
        1.7: """
            freundlich*, hilfreich*, hilfsbereit*, zuverlässig*, reibungslos*, prompt*, kompetent*, kulant*
            zuvorkommend*, empfehl*, empfohlen*, einwandfrei*, fehlerfrei*, problemlos*, gelungen*, top
            danke*, vielen dank, besten dank, herzlichen dank, dankeschön, anstandslos*, unkompliziert*
            geholfen, weitergeholfen, super schnell
        """,
        2.0: """
            zufrieden*, sehr gut, schön*, toll, tolle, toller, tolles, tollen, tollem, super*, klasse
            prima, spitze, topp, glücklich*, begeister*, lob, lobe, loben*, lobenswert*, vorbildlich*
            professionell*, erstklassig*, hochwertig*, beeindruck*, überzeug*, rundum, bestens
            jederzeit wieder, immer wieder gerne, kinderleicht*, kundenfreundlich*, servicefreundlich*
            geil, geile, geiler, geiles, liebling*, lieblings*, verliebt*, ich liebe, liebe es, liebe das
            liebe diese, liebe dich, liebe euch, liebe ihn, liebe sie, glückwunsch*, gratul*, respekt
            bravo, wow, daumen hoch, großes lob, weiter so, gut gemacht, tipptopp, freue mich, happy
            feier*, gefeiert, hammer, mega, bester, bestes, beste, besten, ideal*, charmant*, gute arbeit
            guter service, sehr freundlich, sehr hilfreich, sehr zufrieden, wie gewünscht, love
        """,
        2.8: """
            hervorragend*, ausgezeichnet*, exzellent*, fantastisch*, phantastisch*, großartig*, wunderbar*
            perfekt*, genial*, traumhaft*, wundervoll*, sensationell*, grandios*, brillant*, herausragend*
            überragend*, unschlagbar*, phänomenal*, wunderschön*, erstaunlich gut, einmalig*
            hellauf begeistert, herrlich*, atemberaubend*
            einsame spitze, absolute spitze, tausend dank, tausenddank, heldin, retter, lebensretter*
        """,
    }
)

GERMAN_NEGATED: Mapping[str, float] = _by_entry(
    {
        -2.2: """
            funktionier*, klappt, klappte, geklappt, hilft, helfen, geholfen, half, hilfe, zumutbar*
            tragbar, akzeptier*, hilfreich*, zufrieden*, gut, gute, guten, guter, gutes, empfehl*
            freundlich*, nett
        """,
        -1.9: """
            antwort*, geantwortet, rückmeldung*, rückruf*, reaktion*, reagier*, gemeldet, meldet, melden
            erreich*, ernst genommen, lösung*, gelöst, behoben, löst, angekommen, ankam, geliefert
            erhalten, bekommen, bekomme, verständnis, kulanz, entschuldigung, interessiert, kümmert
            gekümmert, auskunft, zuständig*, verfügbar*, erstattet, eingehalten, brauchbar*, nutzbar*
            lieferung*, service, support, kundenservice, kundendienst, gefällt, gefallen, gefiel, schön
            toll, super, besser*, mag, professionell*
        """,
        -1.5: """
            geht, ging, gehen, läuft, laufen, lief, lädt, laden, startet, starten, öffne*, öffnet
            verbinde*, verbindet, verbindung*, einlogg*, anmeld*, zugreif*, zugriff*, lust, druckt, drucken
            angezeigt, zeigt, aktualisier*, reparier*, repariert, passt, passen, stimmt, verstehe*
            versteht, korrekt*, richtig*, zugang, speicher*, synchronisier*, erkenn*, erkannt, empfang*
            internet, netz, strom, fair, okay, ok, ordnung
        """,
        -1.3: """
            möglich
        """,
    }
)

ENGLISH: Mapping[str, float] = _by_entry(
    {
        -3.4: """
            worst, horrible*, horrific*, horrendous*, atrocious*, disgust*, disgrace*, unacceptable*
            inexcusable*, unforgivable*, appalling*, abysmal*, despicable*, never again, nightmare*
            disaster*, catastroph*, scam*, fraud*, thief, thieves, hate, hated, hates, hatred, fuck*, wtf
            bullshit*, shit, shitty, shitshow, asshole*, rip off, ripoff, ripped off, beyond frustrated
            piece of shit, thanks for nothing, hell no
        """,
        -2.8: """
            terrible*, terribly, awful*, dreadful*, pathetic*, ridiculous*, outrag*, furious*, livid
            infuriat*, enrag*, insult*, incompeten*, useless*, worthless*, garbage, rubbish, trash*, crap*
            suck, sucks, sucked, sux, sucky, bloody joke, joke of, a joke, laughable, shameful*, shame on
            shame, ashamed, lied, liar*, lies, lying, cheat*, stole, stolen, steal*, theft, robbed
            unethical*, idiot*, moron*, stupid*, clueless*, screwed, pissed, damn, damned, dammit, goddamn
            lawsuit*, lawyer*, sue, unbelievabl*, unreal, absurd*, fail, fails, failing, epic fail
            waste of, a waste, deceiv*, decept*, mislead*, misled, extortion*, unsafe, evil, toxic
            bastard*, bitch*, ass, effing, effed, freaking, wasted, wasting
        """,
        -2.3: """
            disappoint*, frustrat*, angry, anger*, angri*, mad, rude*, unprofessional*, unhelpful*
            unreliable*, unfriendly*, unresponsive*, upset*, annoy*, irritat*, poor, poorly, bad, badly
            worse*, worsen*, broken, broke, breaks, lousy, shoddy, sloppy, careless*, ignor*, neglect*
            abandon*, stranded, refuse*, refusing, dishonest*, sick of, fed up, tired of, sick and tired
            had enough, ruin*, destroy*, damage*, dissatisf*, unsatisf*, unhappy, miserabl*, misery
            unfair*, wrongful*, inadequate*, inferior*, mess, messed, chaos*, chaotic, fiasco, debacle
            painful*, pain, cry, crying, cried, hurt*, sad, sadly, sadd*, tragic*, dead, die, died, death
            kill*, ugly, gross, filthy, dirty, smell*, stink*, disrespect*, condescend*, arrogant*
            inconsiderate*, hung up, hang up, hangs up, never fly, lost my business
            lost a customer, losing customers, taking my business, bait and switch, overcharg*
            charged twice, double charged, waste, hell, no excuse, excuses, excuse, abuse*, abusive
            racist*, discriminat*, threat*, dumb, hopeless*, helpless*, bogus, fake, nonsense, crime
            criminal*, ignorant, fuming, raging, rage, mistreat*, smh, ugh*, argh*, grr*, boo, bs, lame
            ineptitude, inept*, unimpress*, nothappy, fails miserably, dissapoint*, disapoint*
        """,
        -1.8: """
            outage*, crash*, fault*, defect*, malfunction*, not working, stopped working, stops working
            down again, delay*, cancel*, missed, missing, lost, lose, loses, losing, loss, stuck, complain*
            complaint*, inconvenien*, unable, impossible, error*, failed, failure*, bug, bugs, buggy
            freez*, frozen, glitch*, corrupt*, hacked, breach*, unauthori*, disconnect*, dropped, drops
            kicked off, kicked, denied, reject*, declined, blame*, apologise, unclear, confus*, misinform*
            misplac*, mislabel*, mishandl*, mistake*, incorrect*, violat*, unaccept*, unresolved
            unanswered, unexplained, neverending, endless*, forever, slow*, sluggish*, overpriced
            expensive*, overbook*, oversold, understaff*, nobody, no one, noone, nothing, ghosted, on hold
            holding for, been on hold, keep getting, keeps getting, for hours, for days, for weeks
            for months, hours late, hours later, over an hour, an hour, still waiting, still no, still not
            still haven't, runaround, run around, no help, zero help, horribly, hassle*, headache*
            struggl*, difficult*, trouble*, afraid, scared, scary, worri*, worry, fear*, stress*, exhaust*
            suffer*, embarrass*, sorry excuse, no longer, not impressed, unnecessary, unneeded, drama
            warn*, penalt*, dispute*, fight, blew, bumped, shortage*, danger*, hazard*, risk*, sick
            disappear*, vanish*, weird, strange, lack, lacks, lacking, sob, not ok, not okay, not cool
            not good enough, fix this, fix your, do better, get it together, wth, hostage*, nonexistent
            non existent, ridic, clearly not, cold shoulder, bad experience, lost my
        """,
        -1.5: """
            wrong*
        """,
        -1.3: """
            critical, severe*
        """,
        -1.1: """
            late, wait, waited, waiting, waits, sitting, sat, hold, holding, hrs, hours, hour, compensat*
            chargeback*, escalat*, return it, replacement, unfortunate*, overdue, expired, blocked
            locked out, locked, unknown, apparently, supposedly, yet another, third time, second time
            repeated*, constantly, multiple times, several times, barely, hardly, odd, concern*, doubt*
            skeptical, suspicious*, inaccura*, inconsisten*, incomplete*, outdated, downgrad*, conflict*
            unless, rebook*, reschedul*, misconnect*, diverted, weak, hard to, too long, too late, too much
            not enough, long line, long lines, hang, hangs, hung, pls fix, instead of, only to
            better than this, used to be, kidding, come on, left me, left us, figure it out
            answer the phone, nope, past due, cost me, forced, voicemail
        """,
        -0.9: """
            problem*, issue*, pending
        """,
        -0.6: """
            why, told, again, still, min, mins, minutes, guess, really, days, weeks, fix, fixing, stop
            stopped, charged, sorry, apolog*, seriously, urgent*, asap, customer service, call back
            call me back, refund*, reimburs*
        """,
        -0.4: """
            fee, fees, cancel
        """,
        0.0: """
            best regards, kind regards, warm regards, with kind regards, best wishes, yours sincerely
            sincerely, dear customer, dear support, dear team, good morning, good afternoon, good evening
            good day, not only, why not, well as, as well, error code, error codes, error message
            error messages, if not, or not
            well known, like to, would like, like this, looks like, look like, feel like, feels like
            like a, like the, seems like, sounds like, is like, hope this, any issues, pretty much
            not sure, best way, good way, customer service number, good time, better way, in case of
            kind of, free to, happy to wait, please help, best time, better deal, would love, great if
            nice if, good to know, fail safe, if it's possible, any update, any delays, any problems
            i'd like, unlike*, apologies if, default*, good luck, convenience, earliest convenience
            the best way, the best approach, the best option, best practice, best practices, best approach
            best option, recommendation, recommendations, troubleshoot*, customer satisfaction
            interest rate, interest rates
        """,
        0.3: """
            hope, hopefully, hoping, ok, okay, welcome, like, likes, free, trust*, interest*, kindly
        """,
        0.5: """
            improve*, improving
        """,
        0.7: """
            fine, fair, alright, ready, yay*, safe, safely, safer, easy, calm*, clean, cleaner, relax*
            useful*, accept*, wow, works now, hear from you, confirm*, reasonable, adequate, follow up
            better, forward to, on time, good news, warm
        """,
        0.9: """
            efficien*, quick*, quickly
        """,
        1.4: """
            thank, thanks, thanx, thx, thnx, ty, tysm, cheers, good, nice*, helped, helps, polite*
            friendlier, friendliness, kind, kindness, professional*, seamless*, easily, convenien*, comfy
            reliab*, responsive*, swift*, solved, fixed, sorted, works great, works well, working again
            works again, glad*, happy, happily, happier, happi*, pleasant*, pleased, pleasure, satisf*
            enjoy*, appreciat*, grateful*, gratitude, recommend*, commend*, compliment*, cool, sweet, haha*
            lol, lmao, smil*, fun, funny, luv, win, winning, wins, won, success*, care of, taken care
            caring, generous*, upgraded, no problem, no problems, no worries, not bad, no complaints
            no issues, ahead of schedule, keep it up, good job, good work, nice job, right away, on point
            on top of, lucky, luckily, fortunate*, honest*, respect, integrity, attentive*, knowledgeable
            thoughtful*, loyal*, affordable, accurate*, congrat*, thumbs up, props, hero, heroes, gracias
            exciting, excite*, cute, adorable, charming, cant wait, can't wait, cannot wait, best of luck
            thankful*, saved, helping, best
        """,
        1.7: """
            prompt*, helpful*, courteous*, smooth*, well done, resolved, hassle free, excited
            looking forward, comfortable*, friendly
        """,
        2.2: """
            thank you, thanks so much, many thanks, thanks a lot, thanks a million
            thanks again, great, greatly, greatness, very good, very happy, very helpful, very pleased
            love, loved, loves, loving, lovely, favorite*, favourite*, impress*, delight*, thrill*, super
            superb*, terrific, rock, rocks, rocked, rockin*, rockstar*, kudos, bravo, beautiful*, gorgeous
            stellar, excellent job, great job, great work, amazin, made my day, life saver, lifesaver*
            go above and, above and beyond, couldn't be happier, cannot complain, can't complain, shout out
            shoutout, you rule, you rock, worth it, ecstatic*, yum*
        """,
        2.4: """
            the best
        """,
        3.0: """
            awesome*, amazing*, excellent*, fantastic*, wonderful*, outstanding*, perfect*, brilliant*
            exceptional*, incredibl*, fabulous*, phenomenal*, magnificent*, marvelous*, marvellous*
            spectacular*, flawless*, splendid*, superior service, first class service, second to none
            five stars, love you, i love, love love, best airline, best service, best customer
        """,
    }
)

ENGLISH_NEGATED: Mapping[str, float] = _by_entry(
    {
        -2.2: """
            work, works, worked, working, help, helps, helped, helping, helpful*, acceptable, care, cares
            cared, function*, good, happy, satisf*, pleased, nice, great, friendly, polite, professional*
            cool
        """,
        -1.8: """
            answer*, respon*, reply*, replie*, call, called, calls, returned, explanation*, explain*
            apology, apologies, apologize*, communicat*, information, info, update*, fix, fixed, resolve*
            solution*, arrive*, arrived, deliver*, receive*, received, refund*, compensat*, reach, contact*
            available, luggage, bags, bag, service, support, option*, notice, understand*, trust*, worth
            organized, fly, flying, buy, buying, recommend*, impress*, honor*, ok, okay, fair, excuse*
            assist*, accommodat*, like, enjoy*, smooth*, reliab*, easy, better, appreciat*
        """,
        -1.4: """
            log, login, load*, open*, connect*, access*, start*, print*, sync*, get, got, let, see
            possible, use, find, believe, book, change, check, able, allow*, enough, give, given, gave
            tell, told, show*, save*, talk, speak, send, sent, even, rebook*, accept*, idea, clue, food
            water, power, internet
        """,
    }
)

# What a negator weighs when it finds nothing to turn round: complaints say "not", "never" and "nobody" more
# often than praise and questions do.
GERMAN_NEGATORS: Mapping[str, float] = {
    "nicht": -0.25, "nich": -0.4, "nix": -0.4, "nichts": -0.4, "nie": -0.4, "niemals": -0.5, "niemand": -0.8,
    "kein": -0.25, "keine": -0.25, "keinen": -0.25, "keiner": -0.5, "keines": -0.25, "keinem": -0.25,
    "keinerlei": -0.9, "weder": -0.3, "ohne": -0.1, "keineswegs": -0.6, "nirgends": -0.7,
    "nirgendwo": -0.7, "mitnichten": -0.3,
}  # fmt: skip
ENGLISH_NEGATORS: Mapping[str, float] = {
    "not": -0.6, "no": -0.6, "never": -0.9, "none": -0.6, "neither": -0.5, "nor": -0.5, "cannot": -0.7,
    "without": -0.3, "nowhere": -0.9, "n't": -0.5, "cant": -0.7, "can't": -0.7, "won't": -0.8, "wont": -0.8,
    "dont": -0.4, "didnt": -0.6, "doesnt": -0.6, "isnt": -0.5, "wasnt": -0.5, "wouldnt": -0.5,
    "couldnt": -0.7, "havent": -0.5, "hasnt": -0.5, "arent": -0.5, "aint": -0.5, "don't": -0.4,
}  # fmt: skip

# By how much of itself a word grows (or shrinks) when one of these stands before it.
GERMAN_INTENSIFIERS: Mapping[str, float] = {
    "sehr": 0.3, "extrem": 0.5, "total": 0.35, "absolut": 0.4, "völlig": 0.4, "komplett": 0.35, "echt": 0.25,
    "wirklich": 0.25, "so": 0.15, "äußerst": 0.45, "überaus": 0.4, "unglaublich": 0.5, "unfassbar": 0.5,
    "wahnsinnig": 0.45, "richtig": 0.3, "besonders": 0.25, "ganz": 0.1, "höchst": 0.4, "dermaßen": 0.4,
    "derart": 0.35, "zutiefst": 0.5, "mega": 0.4, "voll": 0.25, "viel": 0.2, "einfach": 0.15, "verdammt": 0.4,
    "schwer": 0.2, "massiv": 0.4, "stark": 0.3, "überhaupt": 0.25, "rundum": 0.3, "mehr": 0.1, "sau": 0.3,
    "extreme": 0.4, "totale": 0.4, "totaler": 0.4, "absolute": 0.4, "absoluter": 0.4, "reine": 0.3,
    "pure": 0.3, "etwas": -0.35, "bisschen": -0.4, "wenig": -0.35, "leicht": -0.3,
    "relativ": -0.25, "ziemlich": 0.1,
    "teilweise": -0.3, "halbwegs": -0.4, "einigermaßen": -0.35, "eher": -0.2, "mäßig": -0.3, "recht": -0.1,
    "gelegentlich": -0.3, "manchmal": -0.3, "vielleicht": -0.3, "fast": -0.2,
}  # fmt: skip
ENGLISH_INTENSIFIERS: Mapping[str, float] = {
    "very": 0.3, "extremely": 0.5, "really": 0.3, "so": 0.2, "absolutely": 0.45, "totally": 0.4,
    "completely": 0.4, "utterly": 0.5, "incredibly": 0.5, "insanely": 0.5, "unbelievably": 0.5, "highly": 0.3,
    "deeply": 0.4, "truly": 0.3, "super": 0.3, "too": 0.2, "such": 0.2, "beyond": 0.4, "particularly": 0.25,
    "especially": 0.25, "most": 0.2, "more": 0.1, "much": 0.2, "entirely": 0.35, "thoroughly": 0.35,
    "exceptionally": 0.45, "seriously": 0.3, "fucking": 0.5, "freaking": 0.4, "bloody": 0.4, "damn": 0.4,
    "total": 0.35, "complete": 0.35, "absolute": 0.4, "utter": 0.4, "pure": 0.3, "huge": 0.3, "massive": 0.35,
    "somewhat": -0.35, "slightly": -0.4, "bit": -0.35, "little": -0.3, "fairly": -0.15, "rather": -0.1,
    "kinda": -0.35, "sorta": -0.35, "partly": -0.3, "occasionally": -0.3, "sometimes": -0.3, "mildly": -0.4,
    "relatively": -0.25, "moderately": -0.3, "almost": -0.25, "somehow": -0.2, "maybe": -0.3, "quite": 0.1,
}  # fmt: skip

GERMAN_CONTRASTS = frozenset({"aber", "jedoch", "allerdings", "sondern", "trotzdem", "dennoch", "hingegen"})
ENGLISH_CONTRASTS = frozenset({"but", "however", "nevertheless", "nonetheless", "although"})

GERMAN_COURTESIES = frozenset(
    {
        "dank",
        "danke",
        "dankeschön",
        "vielen dank",
        "besten dank",
        "herzlichen dank",
        "merci",
        "dankbar",
        "freue mich",
        "freuen",
        "hilfreich",
        "prompte",
    }
)
ENGLISH_COURTESIES = frozenset(
    {
        "thank", "thanks", "thank you", "thx", "thanx", "thnx", "ty", "many thanks", "thanks a lot", "cheers",
        "appreciate", "appreciated", "greatly", "grateful", "prompt", "promptly", "swift", "swiftly", "quick",
        "looking forward", "forward to", "helpful",
    }
)  # fmt: skip
"""Thanks and hopes that go with a request are manners, not mood."""

GERMAN_REQUESTS = frozenset({"bitte", "bitten", "voraus", "könnten", "könnt", "könntet", "würden", "wäre", "wären"})
ENGLISH_REQUESTS = frozenset({"please", "pls", "plz", "could", "would", "advance", "can"})

FALSE_FRIENDS = frozenset(
    {
        # English mood words that are plain German words.
        "absurd", "after", "again", "also", "arm", "art", "ass", "bad", "bag", "bald", "best", "bill",
        "bit", "boo", "boot", "brief", "bs", "bug", "can", "care", "days", "die", "due", "fade", "fair",
        "fall", "fast", "fee", "fix", "full", "fun", "gift", "grab", "gross", "guess", "gut", "hang", "hat",
        "hell", "herd", "hold", "hope", "hotel", "interest", "kind", "lack", "lag", "like", "link", "links",
        "list", "lob", "login", "lose", "mad", "man", "mess", "min", "mist", "more", "most", "no", "not",
        "ok", "okay", "pure", "rat", "really", "reply", "rock", "sang", "sat", "see", "service", "since",
        "smart", "so", "sorry", "stark", "still", "stop", "such", "sue", "super", "support", "system",
        "tag", "told", "total", "ty", "update", "war", "warm", "well", "wer", "why", "win", "wins", "wo",
        "won",
        # German mood words that are plain English words.
        "arrogant", "bock", "dank", "dumm", "elend", "gern", "ging", "hammer", "hart", "horror", "ideal",
        "lach", "leid", "mag", "mega", "nett", "problem", "prompt", "protest", "recht", "respekt", "sauer",
        "sorge", "stress", "toll", "top", "tot", "transparent", "trotz", "virus", "voll", "wein",
    }
)  # fmt: skip
"""Words that mean something else in the other language, or nothing: only their own lexicon may judge them."""

EMOTICONS: Mapping[str, float] = _by_entry(
    {
        2.0: ":) :-) =) :)) :] :-D :D =D ;D :'D ^^ *-* <3 :* :-* :-]".replace(" ", ","),
        1.2: ";) ;-) :P :-P :p :-p ;P".replace(" ", ","),
        -2.0: ":( :-( =( :(( :'( ;( :[ :-[ </3".replace(" ", ","),
        -1.4: ":/ :-/ :\\ :-\\ :| :-| -.-".replace(" ", ","),
    }
)

EMOJI: Mapping[str, float] = {
    **dict.fromkeys("😀😃😄😁😊🙂☺😍🥰😘😻💖💕💗💙💚💛💜❤♥♡🎉🎊🤩🥳👏👍💯🏆🌟⭐🙌", 2.2),
    **dict.fromkeys("😂🤣😎😉😋😜🤗👌✌💪😇✨☀🤘🎈🍀🙏😌😆😅", 1.3),
    **dict.fromkeys("😡😠🤬👿🖕💩🤮👎💔😤😭", -2.6),
    **dict.fromkeys("😞😔😢😥😟🙁☹😣😖😫😩😪😓😰😨😱🤦😒🙄😑😕🤢😾😿😐", -1.7),
}
