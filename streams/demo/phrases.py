"""The words of the demo's tickets: template families, single sentences and invented names.

In every block a line `# name` opens a section. In the `*_FAMILIES` blocks a family is a paragraph: its first line
holds the subjects, ` | ` between alternatives, and the rest is the body. In the other blocks each line is one
sentence. `{slot}` is filled by streams/demo/generator.py, `{slot2}` is a second value of the same kind, and
`[a|b]` is one of its alternatives. All people, companies and products are invented.
"""

# ruff: noqa: RUF001  foreign letters are meant

from __future__ import annotations

from collections.abc import Mapping

GERMAN_FAMILIES = """\
# hardware
Drucker {printer} druckt nicht | Druckerproblem in Raum {room}
Der Drucker {printer} in Raum {room} [druckt seit heute Morgen nicht mehr|nimmt keine Aufträge mehr
an|bleibt bei jedem Auftrag hängen]. Im Display steht {error}, Papier und Toner sind voll.

Notebook startet nicht mehr | {laptop} bleibt schwarz
[Mein Notebook|Mein Dienstnotebook] {laptop} (Inventarnummer {asset}) startet nicht mehr. Nach dem
Einschalten [blinkt nur die Ladeanzeige|bleibt der Bildschirm schwarz|läuft der Lüfter kurz an und geht
wieder aus].

Dockingstation erkennt Monitore nicht | Monitore an {dock} bleiben dunkel
An der Dockingstation {dock} werden meine beiden Bildschirme {monitor} nicht mehr erkannt. Strom liegt an,
die Tastatur geht, nur das Bild [bleibt weg|flackert alle paar Sekunden].

Akku aufgebläht, bitte Austausch | Akku {laptop} defekt
Der Akku in meinem {laptop} ist [deutlich aufgebläht|nach {minutes} Minuten leer|nicht mehr ladbar], das
Gehäuse steht unten schon etwas auseinander. Seriennummer {serial}.

Bildschirm mit Streifen | Monitor {monitor} flackert
Mein Bildschirm {monitor} zeigt seit {weekday} [senkrechte Streifen|ein starkes Flackern|einen violetten
Rand]. Ein anderes Kabel habe ich getestet, es liegt am Gerät.

Neue Tastatur und Maus benötigt | Bestellung Peripherie
Für [unsere neue Kollegin {woman}|unseren neuen Kollegen {man}] in der Abteilung {dept} brauchen wir zum
{due} eine Tastatur, eine Maus und ein Headset {headset}. Kostenstelle bitte {dept} belasten.

Scanner im Lager liest keine Barcodes | Handscanner {scanner} ohne Funktion
{count} unserer Handscanner {scanner} lesen [die Etiketten nicht mehr|nur noch jeden dritten Barcode]. Die
Linse ist sauber, der Akku geladen, das Gerät piept zweimal und zeigt {error}.

Diensthandy Display gesprungen | {phone} heruntergefallen
Mir ist gestern das Diensthandy {phone} heruntergefallen, das Display ist gesprungen und [reagiert unten
nicht mehr|lässt sich kaum noch bedienen]. Ich bräuchte ein Ersatzgerät oder eine Reparatur.

Headset knackt bei jedem Anruf | Headset {headset} ohne Ton
Mein Headset {headset} [knackt bei jedem Gespräch|überträgt kein Mikrofon mehr|verliert alle {minutes}
Minuten die Verbindung]. An einem anderen Rechner ist es genauso, es ist also wohl das Gerät.

Beamer im Besprechungsraum {room} defekt | Projektor zeigt kein Bild
Der Beamer im Besprechungsraum {room} [geht nach {minutes} Minuten von selbst aus|zeigt kein Bild
mehr|meldet Lampe ersetzen]. Am {due} haben wir dort einen Kundentermin und brauchen das Gerät.

Lüfter extrem laut | Notebook {laptop} wird sehr heiß
Der Lüfter in meinem {laptop} läuft permanent auf voller Stufe und das Gehäuse wird so heiß, dass man es
kaum auf den Schoß nehmen kann. Nach etwa {minutes} Minuten [schaltet es sich ab|wird alles zäh].

Kartenlesegerät am Empfang | EC-Terminal liest Karten nicht
Das Kartenlesegerät am Empfang in {city} [liest keine Karten mehr|startet in einer Endlosschleife neu].
Auf dem Display erscheint nur {error}, den Stecker haben wir schon gezogen.

Speichererweiterung für {asset} | Mehr Arbeitsspeicher benötigt
Mein Rechner {asset} hat nur 8 GB Arbeitsspeicher, das reicht für die großen Konstruktionszeichnungen
nicht. Ist ein Aufrüsten auf 32 GB möglich, oder bekomme ich ein anderes Gerät?

Etikettendrucker verzieht | Labeldrucker {printer} schneidet falsch
Der Etikettendrucker {printer} an Packplatz {count} [zieht die Rolle schief ein|schneidet mitten im
Etikett|druckt nur noch blass]. Wir haben die Rolle getauscht und den Druckkopf gereinigt.

# software
{app} stürzt beim Speichern ab | Absturz in {app} {version}
[Seit dem Update auf Version|Seit Version] {version} stürzt {app} bei jedem Speichern ab. Es erscheint die
Meldung {error}, danach ist [die letzte Stunde Arbeit weg|das Fenster einfach zu].

Export nach PDF liefert leere Seiten | PDF-Export in {app} kaputt
Beim PDF-Export aus {app} sind [alle Seiten leer|die Umlaute verschwunden|die Tabellen abgeschnitten]. In
Version {version} hat das noch funktioniert, jetzt mit {version2} nicht mehr.

Installation {app} schlägt fehl | Setup bricht bei {percent} % ab
Die Installation von {app} {version} bricht bei {percent} % mit dem Fehlercode {error} ab. Ich habe das
Paket neu heruntergeladen und [den Rechner neu gestartet|alle Programme geschlossen], ohne Erfolg.

Auswertung rechnet falsch | Summe in {app} stimmt nicht
In {app} stimmt die Summe in der Monatsauswertung nicht: angezeigt werden {amount}, in der Einzelliste
komme ich auf {amount2}. Vermutlich werden [stornierte Positionen|die Gutschriften] doppelt gezählt.

{app} hängt beim Öffnen großer Dateien | {app} reagiert nicht
Sobald ich eine Datei mit mehr als {count} Seiten öffne, steht bei {app} minutenlang „keine Rückmeldung“.
Kleinere Dateien gehen. Version {version}, [Zwischenspeicher schon gelöscht|Neuinstallation schon
probiert].

Schaltfläche „Freigeben“ fehlt | Menüpunkt nach Update verschwunden
Nach dem Update auf {version} fehlt in {app} die Schaltfläche „Freigeben“. Bei [meiner Kollegin
{woman}|meinem Kollegen {man}] mit der alten Version ist sie noch da.

Lizenz für {app} | Lizenzschlüssel wird nicht angenommen
{app} meldet beim Start, die Lizenz sei abgelaufen, obwohl wir sie bis {due} verlängert haben. Der neue
Schlüssel wird mit {error} [abgelehnt|als ungültig bezeichnet].

Import von CSV-Dateien fehlerhaft | Umlaute beim Import kaputt
Beim Import unserer CSV-Datei in {app} werden [aus Umlauten Fragezeichen|Datumsangaben vertauscht|führende
Nullen abgeschnitten]. Betroffen sind rund {count} Datensätze, die Datei selbst ist in Ordnung.

E-Mail-Programm stürzt ab | Kalender im Mailprogramm leer
Mein E-Mail-Programm [stürzt beim Öffnen des Kalenders ab|zeigt keine Termine mehr an|lässt sich nicht
mehr starten]. Die Reparaturfunktion läuft durch, ändert aber nichts. Programmversion {version}.

Makro in Tabellenvorlage läuft nicht | Tabellenvorlage meldet {error}
Das Makro in der Tabellenvorlage der Abteilung {dept} läuft seit {weekday} nicht mehr und bricht mit
{error} ab. An der Vorlage wurde nichts geändert, es gab aber ein Update des Büropakets.

Benachrichtigungen in {app} doppelt | {app} verschickt jede Meldung zweimal
{app} verschickt seit Version {version} jede Benachrichtigung doppelt, teils auch an [Kollegen ohne Bezug
zum Vorgang|bereits ausgeschiedene Mitarbeiter]. In den Einstellungen finde ich nichts dazu.

Synchronisation auf dem Handy | App {app} synchronisiert nicht
Die mobile App von {app} [synchronisiert nicht mehr|zeigt den Stand vom {date}|meldet bei jedem Abgleich
{error}]. Am Desktop sind alle Einträge vorhanden, auf dem {phone} nicht.

Suche in {app} findet nichts | Suchindex unvollständig
Die Suche in {app} findet nur noch Dokumente [bis zum {date}|aus dem alten Archiv]. Neuere Vorgänge werden
nicht angezeigt, obwohl ich sie über die Ordner direkt öffnen kann.

Serienbrief verschluckt Absätze | Vorlage in {app} verrutscht
Bei Serienbriefen aus {app} fehlt ab Seite {count} die Fußzeile und [Absätze werden zusammengezogen|das
Logo rutscht in den Text]. Die Druckvorschau ist richtig, erst das Dokument ist falsch.

# access
Passwort zurücksetzen | Passwort vergessen {app}
Ich habe mein Passwort für {app} vergessen und [der Link zum Zurücksetzen kommt nicht an|die
Sicherheitsfragen werden nicht akzeptiert]. Mein Benutzername lautet {login}.

Konto gesperrt nach Fehlversuchen | Benutzer {login} gesperrt
Nach [dreimaliger Falscheingabe|dem Kennwortwechsel] ist mein Benutzer {login} gesperrt. Ich komme weder
an den Rechner noch in {app}. Bitte um Entsperrung.

Fehlende Berechtigung Laufwerk {drive} | Zugriff auf Ordner {dept} verweigert
Ich habe keinen Zugriff auf das Laufwerk {drive}, Ordner {dept}. Es kommt „Zugriff verweigert“. Meine
Kollegin {woman} sieht alles, wir haben eigentlich dieselben Rechte.

Neuer Mitarbeiter braucht Zugänge | Zugangsdaten für {person}
Zum {due} fängt {person} in der Abteilung {dept} an und benötigt Zugänge zu {app}, E-Mail und Laufwerk
{drive}. Die Freigabe der Abteilungsleitung liegt vor.

Zwei-Faktor-Anmeldung nach Handywechsel | Authentifizierungscode kommt nicht
Ich habe ein neues Handy und kann mich nicht mehr anmelden, weil die Zwei-Faktor-Codes [noch auf dem alten
Gerät liegen|nicht akzeptiert werden]. Bitte setzen Sie die zweite Stufe für {login} zurück.

Single Sign-on funktioniert nicht | Anmeldung an {app} über SSO scheitert
Die Anmeldung an {app} über Single Sign-on [endet in einer Schleife|bricht mit {error} ab]. Das direkte
Einloggen ist bei uns abgeschaltet, also komme ich gar nicht mehr hinein.

Adminrechte für Installation | Lokale Administratorrechte beantragen
Für die Wartung unserer Messgeräte brauche ich [befristet bis {due}|für zwei Wochen] lokale
Administratorrechte auf {asset}. Ohne Rechte lässt sich der Treiber nicht einspielen.

Zugang zum Serverraum | Zutrittskarte öffnet Raum {room} nicht
Meine Zutrittskarte öffnet seit {weekday} die Tür zu Raum {room} nicht mehr, das Lesegerät [blinkt
rot|piept dreimal]. Andere Türen in der {floor}. Etage gehen.

Kennwort läuft ab, Änderung nicht möglich | Passwortänderung abgelehnt
Mein Kennwort läuft in {count} Tagen ab. Wenn ich es ändern will, heißt es, das neue [erfülle die
Richtlinie nicht|sei schon verwendet worden], obwohl es 16 Zeichen hat.

Rechte nach Abteilungswechsel | Berechtigungen umstellen für {person}
Ich bin zum {date} von {dept} in eine andere Abteilung gewechselt und habe noch die alten Berechtigungen.
Für {app} fehlen mir [die Freigaberechte|die Schreibrechte] komplett.

Postfach der Abteilung freigeben | Zugriff auf Gruppenpostfach {dept}
Bitte geben Sie mir und {person} Zugriff auf das Gruppenpostfach {dept}. Derzeit erscheint beim Öffnen
nur, dass [die Berechtigung fehlt|der Ordner nicht erweitert werden kann].

Kundenportal Login geht nicht | Anmeldung im Portal nicht möglich
Im Kundenportal kann ich mich mit meiner Kundennummer {customer} nicht mehr anmelden. [Angeblich sind die
Daten falsch|Nach dem Login lande ich wieder auf der Startseite], gestern ging es noch.

Zertifikat auf der Smartcard abgelaufen | Smartcard-Anmeldung abgelehnt
Die Anmeldung mit meiner Smartcard wird abgelehnt, das Zertifikat ist am {date} abgelaufen. [Eine
Erinnerung kam nie an|Im Selbstbedienungsportal ist die Verlängerung ausgegraut].

# network
VPN-Verbindung bricht ab | VPN trennt alle {minutes} Minuten
Im Homeoffice bricht meine VPN-Verbindung alle {minutes} Minuten ab. Im Protokoll steht {error}, mein
Internet zu Hause läuft [ansonsten stabil|mit 100 Mbit ohne Probleme].

WLAN im {floor}. Stock sehr schwach | Kein WLAN in Raum {room}
Das WLAN im {floor}. Stock, Raum {room}, ist [kaum zu empfangen|ständig weg|so langsam, dass keine
Videokonferenz geht]. Am Kabel ist alles gut.

Netzlaufwerk {drive} nicht erreichbar | Laufwerk {drive} getrennt
Das Netzlaufwerk {drive} ist seit {time} Uhr nicht erreichbar. Im Explorer steht ein rotes Kreuz, ein Ping
auf {ip} [läuft ins Leere|antwortet nur sporadisch].

Netzwerkdose tot | LAN-Anschluss in Raum {room} ohne Funktion
Die Netzwerkdose an meinem Platz in Raum {room} ist tot, am Notebook leuchtet keine Verbindungsanzeige. An
der Nachbardose [bekomme ich sofort eine Adresse|funktioniert dasselbe Kabel].

IP-Telefon ohne Registrierung | Telefone am Standort {city} stumm
Unsere IP-Telefone am Standort {city} melden „keine Registrierung“. Eingehende Anrufe [landen auf der
Mailbox|kommen gar nicht an], der Switch im {floor}. OG wurde neu gestartet.

DNS löst interne Namen nicht auf | Interner Server {server} nicht auffindbar
Der Name {server} wird nicht mehr aufgelöst, über die Adresse {ip} ist er aber erreichbar. Das betrifft
[den ganzen Standort {city}|alle Rechner im Lager].

Internet am Standort {city} extrem langsam | Leitung {city} überlastet
Am Standort {city} ist das Internet seit {weekday} extrem langsam, der Geschwindigkeitstest zeigt nur
{count} Mbit statt der gebuchten 500. [Videokonferenzen brechen ab|Uploads dauern Stunden].

Gäste-WLAN Anmeldeseite erscheint nicht | Voucher fürs Gäste-WLAN
Besucher kommen nicht ins Gäste-WLAN, weil die Anmeldeseite [nicht erscheint|den Voucher ablehnt]. Wir
haben am {due} {count} Gäste im Haus und müssen das bis dahin im Griff haben.

Firewall blockiert Partner | Port-Freischaltung für {company}
Unser Partner {company} erreicht die Schnittstelle auf {server} nicht mehr, die Firewall scheint den Port
8443 zu blockieren. Quelladresse ist {ip}. [Bitte Regel prüfen|Bis {date} ging es].

VPN-Client startet nicht | VPN meldet {error}
Der VPN-Client Version {version} [startet nicht mehr|hängt bei „Verbindung wird hergestellt“] und meldet
{error}. Ich sitze in {city} beim Kunden und brauche die Freigaben im Firmennetz.

Paketverluste zur Außenstelle | Hohe Latenz nach {city}
Zwischen Zentrale und Außenstelle {city} messen wir {percent} % Paketverlust und Laufzeiten über 400 ms.
[Der Provider sieht nichts|Der Router wurde bereits getauscht].

Umzug in anderes Büro, Netz patchen | Netzwerkanschlüsse für Raum {room}
Am {due} ziehen wir mit {count} Arbeitsplätzen in Raum {room}. Bitte die Netzwerkdosen dort patchen und
[das Telefon-VLAN|die Drucker] mitnehmen.

Falsche IP-Adresse per DHCP | Rechner bekommt keine IP
Mein Rechner {asset} bekommt per DHCP nur eine 169er-Adresse und damit kein Netz. Das Kabel ist
gewechselt, an anderen Ports [dasselbe|geht es auch nicht].

# billing
Rechnung {invoice} fehlerhaft | Falscher Betrag auf Rechnung {invoice}
Auf Ihrer Rechnung {invoice} vom {date} stehen {amount}, vereinbart waren laut Angebot {amount2}. [Bitte
korrigieren Sie den Betrag|Wir bitten um eine korrigierte Rechnung].

Doppelte Abbuchung | {amount} zweimal abgebucht
Für {month} wurden {amount} zweimal von unserem Konto abgebucht, am {date} und noch einmal zwei Tage
später. Die Rechnungsnummer ist in beiden Fällen {invoice}.

Gutschrift noch nicht erhalten | Erstattung zu Bestellung {order}
Am {date} wurde mir die Erstattung von {amount} zugesagt. Bis heute ist [kein Geld eingegangen|auf meinem
Konto nichts zu sehen]. Bestellnummer {order}.

Mahnung trotz Zahlung | Unberechtigte Mahnung zu {invoice}
Wir haben eine Mahnung zur Rechnung {invoice} bekommen, obwohl wir {amount} am {date} überwiesen haben.
Der Zahlungsbeleg liegt [bei|als Kontoauszug vor]. Mahngebühren zahlen wir nicht.

Rechnungsadresse ändern | Neue Rechnungsanschrift {company}
Unsere Rechnungsanschrift hat sich zum {date} geändert. Bitte stellen Sie künftige Rechnungen an
{company}, {city}, und [stellen Sie {invoice} neu aus|nehmen Sie unsere Umsatzsteuer-ID auf].

SEPA-Lastschrift einrichten | Umstellung auf Lastschrift
Wir möchten unsere Zahlungen ab {next_month} auf SEPA-Lastschrift umstellen. Kundennummer {customer}.
[Welches Formular brauchen Sie dafür?|Schicken Sie uns bitte das Mandat zu.]

Frage zur Umsatzsteuer | Steuersatz auf {invoice} unklar
Auf der Rechnung {invoice} ist keine Umsatzsteuer ausgewiesen, wir benötigen aber einen Beleg mit [19
%|ausgewiesenem Steuerbetrag] für die Buchhaltung. Der Betrag ist {amount}.

Rechnung fehlt | Rechnung für {month} nicht angekommen
Die Rechnung für {month} zum Vertrag {contract} haben wir nicht erhalten, im Portal ist auch keine
hinterlegt. Für den Monatsabschluss brauchen wir sie bis {due}.

Skonto nicht berücksichtigt | Skontoabzug zu {invoice}
Beim Skonto gab es offenbar ein Missverständnis: Wir haben {invoice} innerhalb der Frist mit 2 % Skonto
bezahlt, nun wird die Differenz von {less} [angemahnt|nachgefordert].

Ratenzahlung möglich? | Zahlungsaufschub für {invoice}
Die Rechnung {invoice} über {amount} kann ich derzeit nicht auf einmal zahlen. Wäre eine Zahlung in
[drei|vier|sechs] Raten möglich, beginnend ab {due}?

Preiserhöhung ohne Ankündigung | Abo plötzlich teurer
Mein Abo {plan} kostet laut letzter Abrechnung {fee} statt {less}. Über eine Preiserhöhung wurde ich [nie
informiert|nicht in Kenntnis gesetzt]. Ich bitte um Erläuterung der Abrechnung.

Kreditkarte abgelehnt | Zahlung schlägt fehl
Die Zahlung über {amount} mit meiner Kreditkarte wird immer mit {error} abgelehnt. Laut Bank ist [die
Karte in Ordnung|genug Rahmen da]. Rechnung {invoice} ist am {due} fällig.

Bestellnummer auf Rechnung ergänzen | {invoice} ohne unsere Bestellreferenz
Auf der Rechnung {invoice} fehlt unsere Bestellnummer {order}. Ohne diese Referenz [weist unser
Kreditorensystem sie ab|darf die Buchhaltung nicht zahlen]. Bitte um neue Ausfertigung.

# account
Adresse im Kundenkonto ändern | Umzug, neue Anschrift
Ich bin nach {city} umgezogen und möchte die Anschrift in meinem Kundenkonto {customer} ändern. Im Profil
[lässt sich das Feld nicht bearbeiten|springt die Adresse immer zurück].

Kundenkonto löschen | Löschung meines Kontos {customer}
Bitte löschen Sie mein Kundenkonto {customer} mit allen gespeicherten Daten. [Ich nutze es nicht mehr|Ich
habe nichts mehr offen]. Über eine Bestätigung freue ich mich.

Vertrag {contract} kündigen | Kündigung zum nächstmöglichen Termin
Hiermit kündige ich den Vertrag {contract} ({plan}) fristgerecht zum nächstmöglichen Termin. Bitte
bestätigen Sie mir [das Vertragsende schriftlich|den Eingang der Kündigung].

E-Mail-Adresse im Profil ändern | Neue Mailadresse hinterlegen
Meine bisherige E-Mail-Adresse gibt es nicht mehr. Ich möchte im Profil zum Kundenkonto {customer} eine
neue hinterlegen, aber der Bestätigungslink geht [an die alte Adresse|ins Leere].

Zwei Konten zusammenführen | Doppeltes Kundenkonto
Ich habe versehentlich zwei Kundenkonten angelegt, {customer} und eines über die App. Können die Konten
[zusammengeführt|zusammengelegt] werden, ohne dass meine Bestellhistorie verloren geht?

Tarifwechsel auf {plan} | Upgrade auf {plan}
Wir möchten unseren Vertrag {contract} zum {due} auf {plan} umstellen. [Bleiben die bisherigen
Einstellungen erhalten|Ab wann gilt der neue Tarif]? Im Konto finde ich den Wechsel nicht.

Weitere Nutzer hinzufügen | {count} zusätzliche Nutzer im Firmenkonto
In unserem Firmenkonto {customer} brauchen wir {count} weitere Benutzerplätze. Der Knopf „Nutzer einladen“
ist [ausgegraut|nicht vorhanden], obwohl ich als Kontoinhaber eingetragen bin.

Kontoinhaber wechseln | Ansprechpartner im Konto {customer} ändern
Unser bisheriger Ansprechpartner {man} hat das Unternehmen verlassen. Bitte tragen Sie mich als neuen
Inhaber des Kontos {customer} ein. Welche Nachweise [werden benötigt|brauchen Sie dafür]?

Auskunft über gespeicherte Daten | Datenauskunft nach DSGVO
Ich bitte um Auskunft nach Artikel 15 DSGVO über alle Daten, die zu meinem Konto {customer} gespeichert
sind. Bitte antworten Sie [innerhalb der gesetzlichen Frist|schriftlich bis {due}].

Registrierung abgeschlossen, Konto nicht aktiv | Aktivierungslink abgelaufen
Ich habe mich am {date} registriert, aber mein Kundenkonto ist immer noch nicht aktiv. Der
Aktivierungslink ist [abgelaufen|laut Seite ungültig], ein neuer wird nicht verschickt.

Name nach Heirat ändern | Namensänderung im Profil
Ich habe geheiratet und heiße jetzt {person}. Bitte ändern Sie den Namen in meinem Kundenprofil
{customer}, auf [Schreiben|Rechnungen und Lieferscheinen] steht noch der alte.

Newsletter-Einstellungen | Vom Newsletter abmelden im Konto
Obwohl ich in den Kontoeinstellungen alle Werbemails abgewählt habe, bekomme ich sie weiter. Kundenkonto
{customer}, letzte Mail am {date}. Die Einstellung [wird nicht gespeichert|ist jedes Mal wieder aktiv].

Bonuspunkte verschwunden | Treuepunkte fehlen im Konto
In meinem Kundenkonto {customer} fehlen {count}00 Treuepunkte, die bis {date} noch angezeigt wurden.
[Verfallen können sie nicht sein|Eingelöst habe ich nichts], bitte um Prüfung.

# shipping
Paket nicht angekommen | Wo bleibt Bestellung {order}?
Meine Bestellung {order} vom {date} ist bis heute nicht angekommen. Die Sendungsverfolgung {tracking}
steht seit {days} Tagen auf [„im Zielgebiet“|„elektronisch angekündigt“|„in Zustellung“].

Falscher Artikel geliefert | Bestellung {order}: falsche Ware
Bestellt hatte ich {product}, geliefert wurde aber [ein ganz anderer Artikel|die falsche Größe|nur das
Zubehör]. Bestellnummer {order}, der Lieferschein ist richtig, der Inhalt nicht.

Retoure anmelden | Rücksendung {product}
Ich möchte den Artikel {product} aus der Bestellung {order} zurückschicken, er [gefällt mir nicht|ist zu
groß|passt nicht zu unserem Gerät]. Wie bekomme ich ein Retourenlabel?

Ware beschädigt angekommen | Transportschaden Bestellung {order}
Das Paket mit der Bestellung {order} kam heute stark beschädigt an, {product} hat [einen Riss im
Gehäuse|Dellen und Kratzer]. Fotos habe ich gemacht, die Verpackung hebe ich auf.

Lieferadresse noch ändern | Bestellung {order} an andere Adresse
Ich habe bei Bestellung {order} versehentlich meine alte Adresse angegeben. Bitte liefern Sie nach {city},
[das Paket ist noch nicht versandt|laut Konto wird es gerade gepackt].

Lieferung unvollständig | {count} Positionen fehlen
Von unserer Bestellung {order} sind nur Teile angekommen: {count} Positionen fehlen, laut Lieferschein
[soll alles im Paket sein|wurde vollständig geliefert]. Gewogen hat die Palette deutlich zu wenig.

Rücksendung nicht gutgeschrieben | Retoure zu {order} ohne Rückmeldung
Meine Retoure zu Bestellung {order} ist laut Sendungsnummer {tracking} am {date} bei Ihnen eingegangen.
Seitdem [habe ich nichts gehört|steht im Konto „Rücksendung erwartet“].

Liefertermin verschieben | Anlieferung am {due} nicht möglich
Die Anlieferung der Bestellung {order} am {due} passt nicht, unser Lager in {city} hat an dem Tag
[Inventur|geschlossen]. Bitte vereinbaren Sie mit der Spedition einen neuen Termin.

Paket beim falschen Nachbarn | Zustellung an unbekannte Person
Laut Sendungsverfolgung {tracking} wurde mein Paket am {date} an „{person}“ übergeben. Diese Person [gibt
es in unserem Haus nicht|kenne ich nicht]. Bitte Nachforschungsauftrag stellen.

Zollpapiere fehlen | Sendung {tracking} hängt beim Zoll
Unsere Sendung {tracking} hängt seit {days} Tagen beim Zoll, weil die Handelsrechnung fehlt. Bitte
schicken Sie [die Papiere an die Spedition|uns eine Kopie für Bestellung {order}].

Expressversand bezahlt, nicht geliefert | Express {order} verspätet
Für die Bestellung {order} habe ich {less} für Expressversand gezahlt, zugesagt war {weekday}. Gekommen
ist [nichts|das Paket erst drei Tage später]. Die Versandkosten möchte ich zurück.

Umtausch statt Rückgabe | {product} gegen anderes Modell tauschen
Ich würde {product} aus der Lieferung vom {date} gern gegen ein anderes Modell umtauschen. Der Karton ist
[geöffnet, aber unbenutzt|noch versiegelt]. Muss ich zuerst zurücksenden?

Abholung sperriger Retoure | Spedition soll {product} abholen
Die Rücksendung von {product} ist zu schwer für den Paketshop. Bitte beauftragen Sie eine Abholung in
{city}, [werktags ab {time} Uhr|am liebsten am {due}]. Bestellung {order}.

# product
Frage zu {product} | Ist {product} mit meinem Gerät kompatibel?
Ist {product} auch mit [älteren Modellen ab Baujahr 2019|einer 110-Volt-Steckdose|dem Vorgängermodell]
verwendbar? In der Produktbeschreibung finde ich dazu nichts.

Bedienungsanleitung {product} | Anleitung auf Deutsch gesucht
Bei {product} lag nur eine Anleitung auf Englisch bei. Gibt es [eine deutsche Fassung als PDF|eine
ausführlichere Bedienungsanleitung]? Die Artikelnummer ist {part}.

Unterschied zwischen {plan} und {plan2} | Welcher Tarif passt zu uns?
Wir sind ein Betrieb mit {count} Beschäftigten und überlegen, {app} einzuführen. Worin unterscheiden sich
{plan} und {plan2} [bei den Auswertungen|bei der Nutzerzahl] genau?

Ersatzteil für {product} | Wo bekomme ich Teil {part}?
Für mein {product} suche ich das Ersatzteil {part}, [die Dichtung|das Netzteil|der Deckel] ist nach zwei
Jahren verschlissen. Führen Sie das Teil noch, und was kostet es?

Funktionswunsch {app} | Vorschlag: Dunkelmodus in {app}
Ich arbeite täglich mit {app} und würde mir [einen dunklen Modus|Tastenkürzel für die Buchungsmaske|eine
Mehrfachauswahl] wünschen. Ist so etwas geplant, und wenn ja, für welche Version?

Angebot für {count} Stück {product} | Mengenrabatt {product}
Wir interessieren uns für {count} Stück {product} für unseren Standort {city}. Gibt es [einen
Staffelpreis|Mengenrabatt], und wie lang ist die Lieferzeit? Bitte um ein unverbindliches Angebot.

Garantie bei {product} | Wie lange gilt die Garantie?
Wie lange ist die Garantie auf {product} und gilt sie auch bei [gewerblicher Nutzung|Kauf als Geschenk]?
Gekauft am {date}, Seriennummer {serial}.

Hat {app} eine Schnittstelle? | API-Dokumentation {app}
Bietet {app} eine Schnittstelle, um [Bestellungen automatisch zu übernehmen|Stammdaten abzugleichen]? Wir
setzen Version {version} ein und suchen die Dokumentation dazu.

Wann ist {product} wieder lieferbar? | Verfügbarkeit {product}
Im Shop steht {product} seit Wochen auf „derzeit nicht verfügbar“. [Kommt es wieder ins Sortiment|Gibt es
einen Termin], oder gibt es ein vergleichbares Nachfolgemodell?

Testversion verlängern | Testzeitraum {app}
Unsere Testphase von {app} endet am {due}. Wir konnten [die Auswertungen noch nicht prüfen|erst {count}
Kollegen einbinden]. Lässt sich der Zeitraum um zwei Wochen verlängern?

Technische Daten {product} | Datenblatt {product} gesucht
Könnten Sie mir das Datenblatt zu {product} zuschicken? Mich interessieren vor allem [Stromverbrauch und
Lautstärke|Abmessungen und Gewicht|die Schutzklasse], auf der Webseite fehlen die Werte.

Schulung für {app} | Einführungskurs {app}
Bieten Sie Schulungen für {app} an? Wir wären {count} Personen aus der Abteilung {dept}, gern [bei uns in
{city}|online an zwei Vormittagen]. Was würde das kosten?

Reinigung und Pflege {product} | Entkalken von {product}
Wie oft muss {product} [entkalkt|gereinigt|gewartet] werden, und welches Mittel darf ich dafür nehmen? In
der Anleitung auf Seite {count} steht dazu nur ein allgemeiner Hinweis.

# security
Verdächtige E-Mail erhalten | Phishing-Mail angeblich von {company}
Ich habe eine verdächtige E-Mail bekommen, angeblich von {company}. Darin soll ich [mein Kennwort
bestätigen|eine Rechnung im Anhang öffnen]. Geklickt habe ich nicht, die Mail liegt noch im Postfach.

Auf Phishing-Link geklickt | Kennwort auf gefälschter Seite eingegeben
Leider habe ich um {time} Uhr auf einen Link in einer gefälschten Mail geklickt und dort [mein Passwort
eingegeben|eine Datei geöffnet]. Mein Benutzername ist {login}. Was muss ich jetzt tun?

Fremde Anmeldung in meinem Konto | Login aus unbekanntem Land
In der Anmeldeübersicht sehe ich einen Login von {ip}, der nicht von mir ist, am {date} um {time} Uhr.
[Ich habe sofort das Passwort geändert|Die Sitzung ist noch aktiv].

Notebook gestohlen | Diebstahl Dienstgerät {asset}
Mir wurde gestern in {city} im Zug das Dienstnotebook {laptop}, Inventarnummer {asset}, gestohlen. [Die
Festplatte müsste verschlüsselt sein|Es waren Kundendaten darauf]. Anzeige ist erstattet.

Virenscanner schlägt Alarm | Schadsoftware gefunden auf {asset}
Der Virenscanner meldet auf {asset} [einen Trojaner in einem Mailanhang|Schadsoftware im Temp-Ordner]. Die
Datei wurde angeblich in Quarantäne verschoben, die Meldung kommt aber immer wieder.

USB-Stick gefunden | Unbekannter USB-Stick auf dem Parkplatz
Auf dem Parkplatz in {city} lag ein USB-Stick mit der Aufschrift „{dept}“. Ich habe ihn [nicht
eingesteckt|am Empfang abgegeben]. Wer kümmert sich darum?

Daten an falschen Empfänger gesendet | Möglicher Datenschutzvorfall
Eine Liste mit {count} Kundendatensätzen ging heute um {time} Uhr versehentlich an [einen externen
Verteiler|{company}]. Muss das als Datenschutzvorfall gemeldet werden?

Dateien plötzlich verschlüsselt | Verdacht auf Ransomware
Auf dem Laufwerk {drive} haben viele Dateien plötzlich die Endung .lockd und es liegt eine Textdatei mit
einer [Lösegeldforderung|Zahlungsaufforderung] im Ordner. Ich habe den Rechner vom Netz getrennt.

Sicherheitslücke im Kundenportal | Fremde Daten im Portal sichtbar
Wenn ich im Portal die Nummer in der Adresszeile ändere, sehe ich [fremde Rechnungen|Daten anderer
Kunden]. Das ist aus meiner Sicht eine ernste Sicherheitslücke, bitte vertraulich behandeln.

Anruf eines angeblichen Technikers | Telefonbetrug, Fernwartung
Heute um {time} Uhr rief jemand an, der sich als IT-Support ausgab und [Fernzugriff auf meinen
Rechner|meine Zugangsdaten] wollte. Ich habe aufgelegt, meine Kollegin {woman} leider nicht.

Zertifikat der Webseite ungültig | Warnung „nicht sicher“ bei {app}
Beim Aufruf von {app} warnt der Browser, das Zertifikat sei [seit {date} abgelaufen|nicht
vertrauenswürdig]. Ist das ein Angriff oder wurde nur die Verlängerung vergessen?

Freigabe öffentlich im Netz | Vertrauliche Datei frei zugänglich
Durch Zufall habe ich gesehen, dass der Ordner {dept} über einen öffentlichen Link [ohne Kennwort|von
jedem] abrufbar ist. Dort liegen vertrauliche Verträge, unter anderem von {company}.

Kennwörter in Klartext gefunden | Passwortliste auf Laufwerk {drive}
Auf Laufwerk {drive} liegt eine Tabelle mit {count} Kennwörtern im Klartext, [lesbar für alle|offenbar aus
der Abteilung {dept}]. Bitte entfernen und die Passwörter ändern lassen.

# outage
{app} nicht erreichbar | Totalausfall {app}
{app} ist seit {time} Uhr [für alle Benutzer nicht erreichbar|komplett ausgefallen]. Die Seite zeigt nur
{error}. Betroffen sind alle {count} Kollegen am Standort {city}.

Produktion steht: {app} ausgefallen | PRODUKTION STEHT in {city}
In {city} steht die Produktion, weil {app} keine Aufträge mehr an die Linie gibt. Seit {time} Uhr [kommt
nur noch {error}|geht nichts mehr]. Jede Stunde Stillstand kostet uns rund {amount}.

{app} extrem langsam | Antwortzeiten in {app} über {count} Sekunden
Seit {weekday} ist {app} unerträglich langsam, jede Maske braucht mehr als {count} Sekunden. [Morgens
zwischen 8 und 10 Uhr ist es am schlimmsten|Auch bei den Kollegen in {city}].

Webshop liefert {error} | Shop nicht aufrufbar
Unser Webshop liefert seit {time} Uhr nur {error}. Kunden können [nicht bestellen|keine Zahlung
abschließen], der Umsatzausfall liegt schon jetzt bei {amount}.

Server {server} antwortet nicht | Monitoring: {server} down
Das Monitoring meldet {server} seit {time} Uhr als nicht erreichbar, [auch die Konsole reagiert nicht|die
Plattenauslastung lag zuletzt bei 100 %]. Die nachgelagerten Dienste sind alle betroffen.

Alle Telefone ausgefallen | Hotline tot
Die komplette Telefonanlage ist ausgefallen, unsere Hotline ist für Kunden [nicht erreichbar|tot]. Beginn
{time} Uhr, betroffen sind alle Standorte, nicht nur {city}.

E-Mail-Versand gestört | Mails gehen seit {time} Uhr nicht raus
Seit {time} Uhr gehen im ganzen Haus keine E-Mails mehr raus, sie [bleiben im Postausgang|kommen mit
{error} zurück]. Auch eingehend ist nichts Neues da.

Nachtlauf nicht fertig | Datenbankjob auf {server} hängt
Der Nachtlauf auf {server} ist [seit Stunden nicht fertig|bei {percent} % stehen geblieben], deshalb
arbeiten alle mit den Zahlen von gestern und {app} ist zäh wie Kaugummi.

Kassen offline | Kassensystem in Filiale {city} ausgefallen
In der Filiale {city} sind alle {count} Kassen offline. Es erscheint {error}, [wir kassieren nur noch
bar|die Schlange geht bis zur Tür]. Ein Neustart hat nichts gebracht.

Zeitüberschreitungen in der Schnittstelle | Timeouts zu {company}
Die Schnittstelle zu {company} läuft seit {time} Uhr in Zeitüberschreitungen, {percent} % der Aufrufe
schlagen fehl. [Aufträge stauen sich|Die Warteschlange wächst ständig].

Terminalserver überlastet | Anmeldung dauert {minutes} Minuten
Auf dem Terminalserver {server} dauert die Anmeldung {minutes} Minuten und mehr, die Prozessorlast liegt
bei 100 %. [Die ganze Abteilung {dept} ist betroffen|Manche fliegen mittendrin raus].

Statusseite grün, Dienst tot | Störung bei {app} nicht gemeldet
Ihre Statusseite zeigt alles grün, aber {app} ist bei uns seit {minutes} Minuten [nicht erreichbar|nur
noch mit {error} zu sehen]. Handelt es sich um eine bekannte Störung?

Lagersystem ausgefallen | Versand steht, {app} offline
Im Lager {city} ist {app} ausgefallen, wir können [keine Lieferscheine drucken|nicht kommissionieren]. Um
{time} Uhr kommt der letzte LKW, bis dahin muss das laufen.

# hr
Urlaubsantrag wird nicht genehmigt | Resturlaub prüfen
Mein Urlaubsantrag ab {due} liegt seit {days} Tagen unbearbeitet bei {person}. [Mein Resturlaub müsste
{count} Tage betragen|Die Reise muss ich bald buchen], bitte um Prüfung.

Gehaltsabrechnung {month} fehlt | Fehler in der Gehaltsabrechnung
In meiner Gehaltsabrechnung für {month} [fehlen {count} Überstunden|stimmt die Steuerklasse nicht|fehlt
die Zulage]. Ausgezahlt wurden {fee} zu wenig. Personalnummer {staff}.

Krankmeldung einreichen | Arbeitsunfähigkeit seit {date}
Ich bin seit {date} krankgeschrieben. Wird die Bescheinigung [elektronisch abgerufen|noch in Papierform
gebraucht], und wen in der Abteilung {dept} muss ich zusätzlich informieren?

Elternzeit beantragen | Frage zur Elternzeit
Ich möchte ab {due} Elternzeit nehmen und danach [in Teilzeit mit 25 Stunden|mit reduzierter Stundenzahl]
wiederkommen. Welche Fristen und Formulare gelten bei uns?

Korrektur Zeiterfassung | Fehlbuchung am {date}
Am {date} habe ich vergessen, mich [auszustempeln|nach der Mittagspause einzustempeln]. Bitte in der
Zeiterfassung auf {time} Uhr korrigieren, Personalnummer {staff}.

Zwischenzeugnis | Bitte um Arbeitszeugnis
Wegen des Wechsels meiner Vorgesetzten {woman} bitte ich um ein Zwischenzeugnis. [Ich bin seit {count}
Jahren in der Abteilung {dept}|Bis {due} wäre gut].

Reisekosten noch nicht erstattet | Reisekostenabrechnung {city}
Meine Reisekosten für die Dienstreise nach {city} vom {date} über {amount} sind noch nicht erstattet. [Die
Belege habe ich hochgeladen|Der Status steht auf „in Prüfung“].

Jobticket bestellen | Zuschuss zum Jobticket
Ab wann gilt das neue Jobticket und wie hoch ist der Zuschuss? Ich pendle [täglich|dreimal die Woche] aus
{city} und würde es gern ab {next_month} nutzen.

Fortbildung genehmigen lassen | Antrag Weiterbildung
Ich möchte am {due} an einer Fortbildung in {city} teilnehmen, Kosten {amount}. [Meine Vorgesetzte {woman}
ist einverstanden.|Muss der Betriebsrat zustimmen?] Wie läuft die Genehmigung?

Neue Bankverbindung für das Gehalt | Änderung Kontodaten Lohn
Meine Bankverbindung hat sich geändert. Bitte überweisen Sie mein Gehalt ab {next_month} auf das neue
Konto. Wo kann ich [das Formular abgeben|die Daten sicher hinterlegen]? Personalnummer {staff}.

Homeoffice-Regelung | Antrag mobiles Arbeiten
Gilt die Betriebsvereinbarung zum mobilen Arbeiten auch für [Teilzeitkräfte|Auszubildende|die Abteilung
{dept}]? Ich würde gern {weekday} und Freitag von zu Hause arbeiten.

Betriebliche Altersvorsorge | Entgeltumwandlung ab {next_month}
Ich interessiere mich für die betriebliche Altersvorsorge und möchte monatlich {fee} umwandeln. [Gibt es
einen Arbeitgeberzuschuss|Wer berät dazu]? Personalnummer {staff}.

Onboarding neue Kollegin | Einarbeitung {woman} ab {due}
Am {due} beginnt {woman} bei uns in der Abteilung {dept}. Ist der [Arbeitsvertrag
unterschrieben|Einarbeitungsplan fertig], und wer übernimmt die Begrüßung am ersten Tag?

Überstunden auszahlen | Auszahlung von {count} Überstunden
Auf meinem Zeitkonto sind {count} Überstunden, die ich wegen [der Projektlage|der Personalengpässe] nicht
abbauen kann. Ist eine Auszahlung mit dem Gehalt für {month} möglich?

# other
Lob für Ihr Team | Vielen Dank an {person}
Ich wollte nur kurz loswerden, wie [freundlich und schnell|geduldig] mir {person} am {date} geholfen hat.
So etwas erlebt man selten, geben Sie das gern weiter.

Parkplatz vor dem Werkstor | Besucherparkplätze in {city}
Auf dem Gelände in {city} sind die Besucherparkplätze ständig [von Lieferwagen zugestellt|belegt]. Wer ist
dafür zuständig? Am {due} erwarten wir {count} Gäste.

Anfrage für Schulprojekt | Interview für eine Projektarbeit
Wir sind eine Projektgruppe aus {city} und würden gern [ein kurzes Interview führen|Ihren Betrieb
besichtigen]. Wäre am {due} jemand für etwa {minutes} Minuten verfügbar?

Sponsoring unseres Sommerfests | Spendenanfrage Verein
Unser Verein in {city} sucht für das Fest am {due} noch Unterstützer. Könnten Sie sich [eine
Sachspende|einen Zuschuss von {fee}] vorstellen? Wir nennen Sie gern im Programm.

Irrläufer | Diese E-Mail ist nicht für mich
Ich erhalte seit {date} Nachrichten, die offenbar für [eine andere Person|{company}] gedacht sind. Bitte
nehmen Sie mich aus dem Verteiler, ich habe mit der Sache nichts zu tun.

Kantine: vegetarisches Angebot | Speiseplan der Kantine
Ist geplant, in der Kantine in {city} mehr [vegetarische|laktosefreie] Gerichte anzubieten? Am {weekday}
gab es nur ein Gericht und das war um {time} Uhr schon aus.

Fundsache im Besprechungsraum {room} | Schlüsselbund gefunden
Im Besprechungsraum {room} liegt seit {weekday} [ein Schlüsselbund|eine graue Jacke|eine Lesebrille]. Ich
habe alles am Empfang abgegeben, vielleicht fragt ja jemand danach.

Presseanfrage | Anfrage der Redaktion
Für einen Beitrag über [Digitalisierung im Mittelstand|regionale Betriebe] suchen wir bis {due} einen
Gesprächspartner aus Ihrem Haus. An wen darf ich mich wenden?

Heizung in Raum {room} | Büro viel zu kalt
In Raum {room} im {floor}. Stock ist die Heizung [seit {weekday} kalt|nicht regelbar], das Thermometer
zeigt 16 Grad. Der Hausmeister war telefonisch nicht zu erreichen.

Werbeangebot {company} | Zusammenarbeit mit {company}
Wir von {company} aus {city} bieten [Reinigungsdienste|Übersetzungen|Messebau] an und würden uns gern
vorstellen. Wer ist bei Ihnen der richtige Ansprechpartner?

Allgemeine Frage | Öffnungszeiten in {city}
Wie sind die Öffnungszeiten in {city} [zwischen den Feiertagen|am {due}]? Auf der Webseite stehen zwei
verschiedene Angaben und telefonisch lande ich immer in der Schleife.

Lärm durch Baustelle | Bauarbeiten im {floor}. Stock
Die Bauarbeiten im {floor}. Stock sind so laut, dass man [nicht telefonieren|kaum arbeiten] kann. Wie
lange dauert das noch, und kann man den Lärm auf nach {time} Uhr legen?

Umfrage zur Masterarbeit | Teilnahme an einer Studie
Für meine Masterarbeit suche ich {count} Teilnehmende für eine Umfrage, Dauer etwa {minutes} Minuten.
Dürfte ich den Link [in Ihrem Haus verteilen|über Sie weitergeben]?
"""
"""German problems by topic."""

ENGLISH_FAMILIES = """\
# hardware
Printer {printer} not printing | Printer problem in room {room}
The printer {printer} in room {room} [stopped printing this morning|drops every job|jams on every second
page]. The display says {error}, and there is plenty of paper and toner.

Laptop will not start | {laptop} stays black
My [work laptop|laptop] {laptop} (asset {asset}) does not start any more. When I press the power button
[only the charging light blinks|the fan spins once and stops|the screen stays black].

Docking station does not detect monitors | Screens on {dock} stay dark
Neither of my {monitor} screens is detected through the docking station {dock}. Power and keyboard are
fine, but the picture [never comes up|flickers every few seconds].

Swollen battery | Battery of {laptop} needs replacing
The battery in my {laptop} is [visibly swollen|empty after {minutes} minutes|not charging at all] and the
case is starting to open at the bottom. Serial number {serial}.

Lines on the screen | Monitor {monitor} flickering
My monitor {monitor} has shown [vertical lines|a heavy flicker|a purple edge] since {weekday}. I tried
another cable and another port, so it must be the screen.

Keyboard and mouse for a new starter | Equipment for {person}
{person} joins {dept} on {due} and needs a keyboard, a mouse and a headset {headset}. Please charge it to
the {dept} cost centre.

Barcode scanners not reading | Handheld {scanner} broken
{count} of our handheld scanners {scanner} [no longer read labels|read only every third barcode]. The lens
is clean and the battery is full; the unit beeps twice and shows {error}.

Cracked screen on work phone | Dropped my {phone}
I dropped my work phone {phone} yesterday. The glass is cracked and the lower half [does not
respond|barely reacts]. I would need a repair or a replacement.

Headset crackles on every call | No microphone on {headset}
My headset {headset} [crackles on every call|does not transmit my voice|drops the connection every
{minutes} minutes]. It does the same on a colleague's computer, so it is the device.

Projector in room {room} | No picture from the projector
The projector in meeting room {room} [switches itself off after {minutes} minutes|shows no picture|asks
for a new lamp]. We have customers there on {due} and need it working.

Fan very loud | {laptop} gets extremely hot
The fan of my {laptop} runs at full speed all day and the case gets too hot to touch. After about
{minutes} minutes [it shuts down|everything slows to a crawl].

Card reader at reception | Payment terminal reads no cards
The card reader at the front desk in {city} [does not read any cards|keeps rebooting]. The display only
shows {error}; we already pulled the plug and waited.

More memory for {asset} | Memory upgrade request
My computer {asset} has only 8 GB of memory, which is not enough for our large drawings. Can it be
upgraded to 32 GB, or would I get a different machine?

# software
{app} crashes on save | Crash in {app} {version}
Since [the update to|upgrading to] version {version}, {app} crashes every time I save. It shows {error}
and [the last hour of work is gone|the window just closes].

PDF export gives blank pages | PDF export broken in {app}
Exporting to PDF from {app} produces [blank pages|cut-off tables|boxes instead of letters]. It worked in
{version} and stopped working in {version2}.

Installation of {app} fails | Setup stops at {percent}%
The installer of {app} {version} stops at {percent}% with error code {error}. I downloaded it again and
[rebooted|closed every other program], no change.

Report totals are wrong | {app} adds up incorrectly
The monthly report in {app} shows {amount}, but the line items add up to {amount2}. I suspect [cancelled
items|credit notes] are counted twice.

{app} freezes on large files | {app} not responding
Opening a file with more than {count} pages makes {app} hang for minutes. Smaller files are fine. Version
{version}; I have already [cleared the cache|reinstalled it].

Approve button is missing | Menu item gone after update
After updating {app} to {version} the Approve button is gone. My colleague {person} still has the old
version and still sees it.

Licence key rejected | Licence for {app}
{app} says our licence has expired although we renewed it until {due}. The new key is [rejected with
{error}|reported as invalid].

CSV import broken | Import garbles special characters
When importing our CSV file into {app}, [accented letters turn into question marks|dates are
swapped|leading zeros disappear]. About {count} records are affected; the file itself is fine.

Mail client crashes | Calendar in mail client empty
My mail client [crashes when I open the calendar|no longer shows any appointments|will not start]. The
repair tool completes but changes nothing. Client version {version}.

Spreadsheet macro fails | Template macro stops with {error}
The macro in the {dept} spreadsheet template has failed since {weekday} with {error}. Nobody changed the
template, but there was an office suite update.

Duplicate notifications from {app} | {app} sends everything twice
Since version {version}, {app} sends every notification twice, [sometimes to people who are not
involved|even to former employees]. I cannot find a setting for it.

Mobile app does not sync | {app} on my phone is out of date
The {app} mobile app [stopped syncing|is stuck at {date}|reports {error} on every sync]. Everything is
there on the desktop, just not on my {phone}.

Search returns nothing | Search index in {app} incomplete
Search in {app} only finds documents [up to {date}|from the old archive]. Newer records do not show up
although I can open them through the folders.

# access
Password reset | Forgot my {app} password
I forgot my password for {app} and [the reset link never arrives|my security answers are not accepted]. My
user name is {login}.

Account locked | User {login} is locked out
After [too many attempts|changing my password] my user {login} is locked. I can get into neither my
computer nor {app}. Please unlock it.

No permission on drive {drive} | Access denied to the {dept} folder
I have no access to drive {drive}, folder {dept}; it says access denied. My colleague {person} can see
everything, and we should have the same rights.

Accounts for a new starter | Access for {person}
{person} starts in {dept} on {due} and needs access to {app}, e-mail and drive {drive}. The head of
department has approved it.

Two-factor codes after changing phones | Authenticator not working
I have a new phone and cannot log in because the two-factor codes [are still on the old one|are not
accepted]. Please reset the second factor for {login}.

Single sign-on broken | SSO login to {app} fails
Logging in to {app} through single sign-on [ends in a redirect loop|fails with {error}]. Direct login is
disabled for us, so I am locked out completely.

Local admin rights | Admin rights on {asset}
I need local administrator rights on {asset} [until {due}|for two weeks] to install a driver for our
measuring equipment. Without them the setup is refused.

Badge does not open room {room} | Door access
My badge has not opened the door to room {room} since {weekday}; the reader [flashes red|beeps three
times]. Other doors on floor {floor} work.

Cannot change my password | Password change refused
My password expires in {count} days. When I try to change it I am told the new one [does not meet the
policy|was used before], although it has 16 characters.

Permissions after moving department | Role change for {person}
I moved from {dept} to another team on {date} and still have my old permissions. In {app} I am missing
[approval rights|write access] altogether.

Shared mailbox access | Mailbox of {dept}
Please give {person} and me access to the shared mailbox of {dept}. At the moment it says [permission is
missing|the folder cannot be expanded].

Customer portal login fails | Cannot sign in to the portal
I can no longer sign in to the customer portal with my number {customer}. [It claims the details are
wrong|After logging in I land on the start page again]; yesterday it worked.

Smart card certificate expired | Smart card login rejected
Logging in with my smart card is rejected because the certificate expired on {date}. [No reminder ever
arrived|Renewal is greyed out in the self-service portal].

# network
VPN keeps disconnecting | VPN drops every {minutes} minutes
Working from home, my VPN connection drops every {minutes} minutes. The log says {error}; my home internet
is [otherwise stable|fine for everything else].

Weak wifi on floor {floor} | No wifi in room {room}
The wifi on floor {floor}, room {room}, is [barely there|down all the time|too slow for video calls]. The
cable works fine.

Network drive {drive} unreachable | Drive {drive} disconnected
Network drive {drive} has been unreachable since {time}. It shows a red cross, and a ping to {ip} [times
out|answers only now and then].

Network socket dead | LAN port in room {room}
The network socket at my desk in room {room} is dead, there is no link light on my laptop. [The socket
next to it works|With the same cable elsewhere I get an address at once].

Desk phones not registered | IP phones in {city} silent
Our IP phones in {city} show "no registration". Incoming calls [go to voicemail|do not arrive at all]; the
switch on floor {floor} has been restarted.

Internal names not resolved | DNS problem with {server}
The name {server} no longer resolves, but it can be reached at {ip}. This affects [the whole {city}
site|all computers in the warehouse].

Internet in {city} very slow | Line in {city} saturated
Internet at the {city} site has been very slow since {weekday}: the speed test shows {count} Mbit instead
of the 500 we pay for. [Video calls drop|Uploads take hours].

Guest wifi login page missing | Guest wifi voucher
Visitors cannot get onto the guest wifi because the login page [does not appear|rejects the voucher]. We
have {count} guests on {due} and need it by then.

Firewall blocks our partner | Open a port for {company}
Our partner {company} can no longer reach the interface on {server}; the firewall seems to block port
8443. Their source address is {ip}. [It worked until {date}|Please check the rule].

VPN client does not start | VPN reports {error}
The VPN client, version {version}, [no longer starts|hangs at "connecting"] and reports {error}. I am at a
customer in {city} and need the company network.

Packet loss to branch office | High latency to {city}
Between head office and {city} we measure {percent}% packet loss and over 400 ms round trip. [The provider
sees nothing|The router has been replaced already].

Moving desks, please patch sockets | Network ports for room {room}
On {due} we move {count} desks into room {room}. Please patch the sockets there and [include the phone
VLAN|bring the printers along].

No address from DHCP | Computer gets a 169 address
My computer {asset} only gets a 169 address from DHCP and has no network. I changed the cable and the
port, [same result|nothing helps].

# billing
Wrong amount on invoice {invoice} | Invoice {invoice} incorrect
Your invoice {invoice} of {date} shows {amount}, but the agreed price in the quote was {amount2}. [Please
send a corrected invoice|Please fix the amount].

Charged twice | Duplicate charge of {amount}
I was charged {amount} twice for {month}: once on {date} and again two days later. Both times the
reference is invoice {invoice}.

Refund not received | Refund for order {order}
On {date} I was promised a refund of {amount}. So far [nothing has arrived|my bank shows no payment]. The
order number is {order}.

Reminder although paid | Unjustified payment reminder for {invoice}
We received a payment reminder for {invoice} although we transferred {amount} on {date}. [The bank
statement is attached|I can send proof]. We will not pay the late fee.

Change billing address | New billing address for {company}
Our billing address changed on {date}. Please send future invoices to {company}, {city}, and [reissue
{invoice}|add our VAT number].

Switch to direct debit | Payment by direct debit
From {next_month} on we would like to pay by direct debit. Our customer number is {customer}. [Which form
do you need?|Please send us the mandate.]

VAT question | VAT on invoice {invoice}
Invoice {invoice} over {amount} does not show any VAT, but our accountants need [a receipt with VAT|the
tax rate on it]. Can you reissue it?

Missing invoice | Invoice for {month} not received
We have not received the invoice for {month} for contract {contract}, and it is not in the portal either.
We need it for month end closing by {due}.

Late fee wrong | Late fee on {invoice}
We paid {invoice} in time and still got a late fee of {less}. [Please remove it|I do not accept this
charge]; the transfer date was {date}.

Payment plan | Pay invoice {invoice} in instalments
I cannot pay invoice {invoice} over {amount} in one go at the moment. Could I pay it in [three|four|six]
instalments starting {due}?

Price increase without notice | Subscription suddenly costs more
My subscription {plan} was billed at {fee} instead of {less}. I was [never told|not informed] about a
price increase. Please explain this bill.

Credit card declined | Payment fails
Paying {amount} by credit card always fails with {error}. My bank says [the card is fine|there is enough
limit]. Invoice {invoice} is due on {due}.

Purchase order number missing | {invoice} without our PO number
Invoice {invoice} does not carry our purchase order number {order}. Without it [our system rejects the
invoice|accounts payable must not pay]. Please reissue it.

# account
Change address in my account | Moved house
I moved to {city} and would like to change the address in my customer account {customer}. In the profile
[the field cannot be edited|the old address keeps coming back].

Delete my account | Please delete account {customer}
Please delete my customer account {customer} and all stored data. [I no longer use it|There is nothing
outstanding]. A short confirmation would be nice.

Cancel contract {contract} | Cancellation
I hereby cancel contract {contract} ({plan}) at the earliest possible date. Please confirm [the end date
in writing|that you received this].

Change e-mail address | New e-mail address for my profile
My old e-mail address no longer exists. I want to change it in account {customer}, but the confirmation
link goes [to the old address|nowhere].

Merge two accounts | I have two accounts
By mistake I created two customer accounts, {customer} and one through the app. Can they be
[merged|combined] without losing my order history?

Upgrade to {plan} | Change of plan
We would like to move contract {contract} to {plan} from {due}. [Will our settings be kept|From when does
the new price apply]? I cannot find the option in the account.

Add more users | {count} more seats on our company account
We need {count} more seats on our company account {customer}. The invite button is [greyed out|missing],
although I am the account owner.

Change account owner | New contact for account {customer}
Our former contact {person} has left the company. Please make me the owner of account {customer}. What
proof [do you need|is required]?

Request for my personal data | Data access request
I request access under Article 15 GDPR to all data stored about my account {customer}. Please answer
[within the legal deadline|in writing by {due}].

Account still inactive | Activation link expired
I registered on {date} but my account is still inactive. The activation link is [expired|said to be
invalid] and no new one is sent.

Name change | Change the name in my profile
I got married and my name is now {person}. Please change it in my customer profile {customer};
[letters|delivery notes] still carry the old one.

Newsletter settings | Unsubscribe does not stick
I turned off all marketing mail in my account settings, but it keeps coming. Account {customer}, last one
on {date}. The setting [is not saved|is back on every time].

Loyalty points gone | Missing points in my account
My account {customer} is missing {count}00 loyalty points that were still there on {date}. [They cannot
have expired|I have not redeemed any]. Please check.

# shipping
Parcel has not arrived | Where is order {order}?
My order {order} of {date} has still not arrived. Tracking {tracking} has said ["in transit"|"label
created"|"out for delivery"] for {days} days.

Wrong item delivered | Order {order}: wrong goods
I ordered {product} but received [something entirely different|the wrong size|only the accessories]. Order
{order}; the delivery note is right, the contents are not.

Return an item | Returning {product}
I want to send back {product} from order {order}; it [is not what I expected|is too large|does not fit our
machine]. How do I get a return label?

Arrived damaged | Transport damage on order {order}
Order {order} arrived today badly damaged, {product} has [a crack in the housing|dents and scratches]. I
took photos and will keep the packaging.

Change delivery address | Deliver order {order} elsewhere
I gave my old address for order {order} by mistake. Please deliver to {city}; [it has not been shipped
yet|my account says it is being packed].

Incomplete delivery | {count} items missing
Our order {order} arrived incomplete: {count} items are missing although the delivery note [lists them
all|says it is complete]. The pallet was far too light.

Return not credited | No news about my return for {order}
According to tracking {tracking}, my return for order {order} reached you on {date}. Since then [I have
heard nothing|my account says "return expected"].

Move the delivery date | Delivery on {due} not possible
Delivery of order {order} on {due} does not work for us, the warehouse in {city} is [closed|doing a stock
count] that day. Please arrange another date with the carrier.

Parcel left with a stranger | Delivered to an unknown person
Tracking {tracking} says my parcel was handed to "{person}" on {date}. That person [does not live in our
building|is unknown to me]. Please start an investigation.

Customs papers missing | Shipment {tracking} held by customs
Our shipment {tracking} has been stuck in customs for {days} days because the commercial invoice is
missing. Please send [the papers to the carrier|us a copy for order {order}].

Express paid, not delivered | Express order {order} late
I paid {less} for express delivery of order {order}, promised for {weekday}. [Nothing came|It arrived
three days late]. I want the shipping cost back.

Exchange {product} | Swap {product} for another model
I would like to exchange {product} from the delivery of {date} for another model. The box is [open but
unused|still sealed]. Do I have to send it back first?

Pick up a bulky return | Carrier pickup for {product}
The return of {product} is too heavy for a parcel shop. Please arrange a pickup in {city}, [any weekday
after {time}|ideally on {due}]. Order {order}.

# product
Question about {product} | Is {product} compatible?
Does {product} also work with [models from before 2019|a 110 volt socket|the previous model]? The product
description says nothing about it.

Manual for {product} | Looking for an English manual
My {product} came only with a German manual. Is there [an English version as PDF|a more detailed manual]?
The part number is {part}.

Difference between {plan} and {plan2} | Which plan suits us?
We are a company of {count} people and think about introducing {app}. What exactly is the difference
between {plan} and {plan2} [in reporting|in the number of users]?

Spare part for {product} | Where can I get part {part}?
I am looking for spare part {part} for my {product}; [the seal|the power supply|the lid] is worn after two
years. Do you still sell it, and at what price?

Feature request for {app} | Suggestion: dark mode in {app}
I use {app} every day and would love [a dark mode|keyboard shortcuts in the posting screen|multiple
selection]. Is anything like that planned, and for which version?

Quote for {count} units of {product} | Volume discount {product}
We are interested in {count} units of {product} for our {city} site. Is there a [volume discount|tiered
price], and what is the lead time? Please send a quote.

Warranty on {product} | How long is the warranty?
How long is the warranty on {product}, and does it cover [commercial use|gifts]? Bought on {date}, serial
number {serial}.

Does {app} have an API? | API documentation for {app}
Does {app} offer an interface to [import orders automatically|sync master data]? We run version {version}
and are looking for the documentation.

When is {product} back in stock? | Availability of {product}
The shop has listed {product} as unavailable for weeks. [Will it come back|Is there a date], or is there a
comparable successor?

Extend our trial | Trial period of {app}
Our trial of {app} ends on {due}. We [have not looked at reporting yet|could only involve {count}
colleagues]. Could it be extended by two weeks?

Technical data of {product} | Data sheet for {product}
Could you send me the data sheet of {product}? I am mostly interested in [power consumption and
noise|dimensions and weight|the protection class]; the website lacks the figures.

Training for {app} | Introductory course for {app}
Do you offer training for {app}? We would be {count} people from {dept}, [at our office in {city}|online
on two mornings]. What would it cost?

Cleaning {product} | Descaling {product}
How often does {product} have to be [descaled|cleaned|serviced], and which product may I use? Page {count}
of the manual only has a general remark.

# security
Suspicious e-mail | Phishing mail pretending to be {company}
I received a suspicious e-mail pretending to come from {company}. It asks me to [confirm my password|open
an attached invoice]. I did not click anything and still have it.

Clicked a phishing link | Entered my password on a fake page
Unfortunately I clicked a link in a fake e-mail at {time} and [entered my password|opened a file] there.
My user name is {login}. What do I have to do now?

Unknown login to my account | Login from a foreign country
The sign-in history shows a login from {ip} that was not me, on {date} at {time}. [I changed my password
straight away|The session is still active].

Laptop stolen | Theft of company device {asset}
My work laptop {laptop}, asset {asset}, was stolen on the train to {city} yesterday. [The disk should be
encrypted|There was customer data on it]. I have reported it to the police.

Virus scanner alert | Malware found on {asset}
The virus scanner on {asset} reports [a trojan in a mail attachment|malware in the temp folder]. It says
the file was quarantined, but the alert keeps coming back.

Found a USB stick | Unknown USB stick in the car park
There was a USB stick labelled "{dept}" in the car park in {city}. I have [not plugged it in|left it at
reception]. Who takes care of this?

Data sent to the wrong person | Possible data breach
A list with {count} customer records was sent to [an external mailing list|{company}] by mistake at {time}
today. Does this have to be reported as a breach?

Files suddenly encrypted | Suspected ransomware
Many files on drive {drive} suddenly end in .lockd and there is a text file with [a ransom note|payment
instructions] in the folder. I unplugged the computer from the network.

Vulnerability in the customer portal | I can see other people's data
If I change the number in the portal address I can see [other customers' invoices|someone else's data]. I
consider this a serious vulnerability, please treat it confidentially.

Call from a fake technician | Phone scam, remote access
At {time} today someone claiming to be IT support called and wanted [remote access to my computer|my
credentials]. I hung up, but my colleague {person} did not.

Certificate warning on {app} | Browser says {app} is not secure
When I open {app} the browser warns that the certificate [expired on {date}|is not trusted]. Is this an
attack, or did someone forget the renewal?

Folder shared publicly | Confidential file open to everyone
By chance I saw that the {dept} folder can be opened through a public link [without a password|by anyone].
It contains confidential contracts, some of them with {company}.

Passwords in plain text | Password list on drive {drive}
On drive {drive} there is a spreadsheet with {count} passwords in plain text, [readable by
everyone|apparently from {dept}]. Please remove it and have the passwords changed.

# outage
{app} is down | Complete outage of {app}
{app} has been [unreachable for everyone|completely down] since {time}. The page only shows {error}. All
{count} colleagues in {city} are affected.

Production stopped: {app} down | PRODUCTION DOWN in {city}
Production in {city} has stopped because {app} no longer sends orders to the line. Since {time} [we only
get {error}|nothing works]. Every hour of downtime costs us about {amount}.

{app} extremely slow | Response times in {app} over {count} seconds
Since {weekday} {app} has been painfully slow, every screen takes more than {count} seconds. [It is worst
between 8 and 10 in the morning|Colleagues in {city} see the same].

Web shop returns {error} | Shop offline
Our web shop has returned nothing but {error} since {time}. Customers cannot [order|complete a payment],
and we have lost about {amount} in sales already.

Server {server} not responding | Monitoring: {server} down
Monitoring reports {server} as down since {time}; [the console does not respond either|the disk was last
seen at 100%]. All services behind it are affected.

All phones dead | Hotline down
The entire phone system is down and customers [cannot reach our hotline|get a dead line]. It started at
{time} and affects every site, not only {city}.

Mail delivery broken | No e-mail since {time}
Since {time} no e-mail leaves the company, messages [stay in the outbox|bounce with {error}]. Nothing new
is coming in either.

Nightly batch not finished | Database job on {server} stuck
The nightly batch on {server} [is hours late|stopped at {percent}%], so everybody works with yesterday's
numbers and {app} is crawling.

Tills offline | Point of sale down in {city}
All {count} tills in the {city} store are offline showing {error}. [We can only take cash|The queue
reaches the door]. Restarting did not help.

Interface timeouts | Timeouts towards {company}
The interface to {company} has been timing out since {time}, {percent}% of calls fail. [Orders are piling
up|The queue keeps growing].

Terminal server overloaded | Logging in takes {minutes} minutes
Logging in to terminal server {server} takes {minutes} minutes or more, the CPU sits at 100%. [All of
{dept} is affected|Some people get thrown out mid-session].

Status page green, service dead | Outage of {app} not reported
Your status page is all green, but {app} has been [unreachable|showing nothing but {error}] for us for
{minutes} minutes. Is this a known incident?

Warehouse system down | Dispatch stopped, {app} offline
{app} is down in the {city} warehouse and we can [not print delivery notes|not pick orders]. The last
truck comes at {time}, it has to run by then.

# hr
Holiday request not approved | Remaining leave
My holiday request from {due} has been waiting with {person} for {days} days. [I should have {count} days
left|I need to book the trip soon]. Could you check?

Payslip for {month} missing | Mistake in my payslip
My payslip for {month} [is missing {count} hours of overtime|has the wrong tax class|lacks the allowance].
I was paid {fee} too little. Staff number {staff}.

Sick note | On sick leave since {date}
I have been on sick leave since {date}. Is the certificate [retrieved electronically|still needed on
paper], and who in {dept} do I have to tell?

Parental leave | Question about parental leave
I would like to take parental leave from {due} and come back [part-time with 25 hours|with reduced hours].
Which deadlines and forms apply?

Correct my time sheet | Missed clock-out on {date}
On {date} I forgot to clock [out|back in after lunch]. Please correct my working time to {time}; my staff
number is {staff}.

Reference letter | Interim reference
My manager {person} is leaving, so I would like an interim reference. [I have been in {dept} for {count}
years|By {due} would be good].

Travel expenses not reimbursed | Expense claim {city}
My expenses for the business trip to {city} on {date}, {amount}, have not been reimbursed. [The receipts
are uploaded|The claim is "under review"].

Commuter ticket | Subsidy for the commuter ticket
From when does the new commuter ticket apply and how high is the subsidy? I commute from {city} [every
day|three times a week] and would start in {next_month}.

Approval for training | Training request
I would like to attend a training in {city} on {due}, cost {amount}. [My manager {person} agrees.|Does the
works council have to agree?] How is it approved?

New bank account for my salary | Change of payroll details
My bank account has changed. Please pay my salary to the new one from {next_month}. Where can I [hand in
the form|enter the details safely]? Staff number {staff}.

Working from home | Remote work agreement
Does the remote work agreement also apply to [part-time staff|trainees|{dept}]? I would like to work from
home on {weekday} and Friday.

Company pension | Pension contribution from {next_month}
I am interested in the company pension and would like to contribute {fee} a month. [Is there an employer
contribution|Who can advise me]? Staff number {staff}.

Onboarding of {person} | New colleague on {due}
{person} starts with us in {dept} on {due}. Is the [contract signed|onboarding plan ready], and who
welcomes them on the first day?

# other
Praise for your team | Thanks to {person}
I just wanted to say how [friendly and quick|patient] {person} was on {date}. That is rare these days,
please pass it on.

Visitor parking | Parking spaces in {city}
The visitor parking spaces in {city} are always [blocked by vans|taken]. Who looks after them? We expect
{count} guests on {due}.

School project | Interview for a project
We are a project group from {city} and would like to [do a short interview|visit your company]. Would
anyone have about {minutes} minutes on {due}?

Sponsoring our summer party | Donation request
Our club in {city} is looking for supporters for its party on {due}. Could you imagine [a prize for the
raffle|a contribution of {fee}]? We would name you in the programme.

Wrong recipient | This e-mail is not for me
Since {date} I have been getting messages that are clearly meant for [somebody else|{company}]. Please
take me off the list, I have nothing to do with this.

Canteen menu | Vegetarian food in the canteen
Are there plans for more [vegetarian|lactose-free] dishes in the {city} canteen? On {weekday} there was
only one, and it was gone by {time}.

Lost property in room {room} | Keys found
Since {weekday} there has been [a bunch of keys|a grey jacket|a pair of glasses] in meeting room {room}. I
handed it in at reception in case somebody asks.

Press enquiry | Request from an editor
For an article about [digital change in small companies|regional businesses] we are looking for someone to
talk to by {due}. Whom should I contact?

Heating in room {room} | Office far too cold
The heating in room {room} on floor {floor} [has been cold since {weekday}|cannot be adjusted], it is 16
degrees in here. The caretaker does not pick up the phone.

Offer from {company} | Working with {company}
We at {company} in {city} offer [cleaning services|translations|exhibition stands] and would like to
introduce ourselves. Who would be the right contact?

General question | Opening hours in {city}
What are your opening hours in {city} [over the holidays|on {due}]? The website gives two different
answers and the phone keeps me in a loop.

Noise from construction | Building work on floor {floor}
The building work on floor {floor} is so loud that one can [not make calls|hardly work]. How long will it
last, and could it be moved to after {time}?

Survey for a thesis | Taking part in a study
For my thesis I am looking for {count} people for a survey of about {minutes} minutes. May I [share the
link in your company|send you the link]?
"""
"""English problems by topic."""

MIXED_FAMILIES = """\
# hardware
Laptop {laptop} ist dead | Hardware Issue {asset}
Mein Laptop {laptop} geht seit dem Meeting nicht mehr on, nur ein Blinken am Power Button. Habe schon
einen Hard Reset gemacht, no luck. Bitte um Replacement, Asset ist {asset}.

Docking Station no signal
Die Docking Station {dock} hat kein Signal mehr, beide Screens sagen nur "no input detected". Ich habe das
Kabel gewechselt und das Firmware Update gemacht, same problem.

Printer offline in {room}
Unser Printer {printer} im Raum {room} ist immer offline, im Display steht "{error}: please contact your
administrator". Kann das jemand checken?

Headset für Calls kaputt
Mein Headset {headset} macht in jedem Call nur noch Noise, die Kollegen hören mich nicht. Please send ein
neues an den Standort {city}.

# software
Bug in {app} {version} | {app} crasht nach dem Update
Nach dem letzten Update crasht {app} beim Export. Im Log steht "Unhandled exception: object reference not
set, code {error}". Wir brauchen einen Fix oder einen Rollback auf {version2}.

Feature in {app} gone
Seit dem Release {version} ist der Approve Button weg, unser ganzer Workflow ist damit broken. Ist das ein
known issue oder by design?

Import Job failed
Der Import Job in {app} ist gefailt: "Error {error}: invalid date format in line {count}". Das File ist
dasselbe wie last week, da hat es noch funktioniert.

License expired?
{app} sagt "your license has expired, please contact sales", dabei haben wir das Renewal längst bezahlt.
Bitte den License Key neu rausschicken.

# access
Login nicht possible | Account locked
Ich bin locked out, mein User {login} bekommt nur "Too many failed attempts, try again later". Bitte
einmal unlocken und einen Password Reset schicken.

SSO Loop bei {app}
Der SSO Login für {app} hängt in einem Redirect Loop, am Ende steht "Access denied ({error})". Die
Kollegen im selben Team haben das Problem nicht.

Permissions für {person}
Für {person} brauchen wir Read/Write Permissions auf {drive} und einen Account in {app}. Approval vom Team
Lead ist da, Start Date ist {due}.

MFA Token lost
Ich habe mein Phone gewechselt und jetzt fehlt mir der MFA Token, die App sagt nur "code invalid". Kann
jemand den Second Factor für {login} resetten?

# network
VPN disconnect all the time
Mein VPN macht alle {minutes} Minuten einen Disconnect, im Log steht "tunnel closed by peer, reason
{error}". Im Home Office ist so kein Working möglich.

Wifi issue {city}
Im Office {city} ist das Wifi mega slow, der Speed Test zeigt {count} Mbit. Das Meeting mit dem Customer
mussten wir canceln.

DNS Problem {server}
Der Host {server} wird nicht mehr resolved: "could not resolve host, NXDOMAIN". Per IP {ip} geht der
Connect, es ist also nur DNS.

Port freischalten please
Für das neue Interface brauchen wir den Port 8443 auf {server} open, aktuell kommt nur "connection
refused". Das Go-Live ist am {due}.

# billing
Invoice {invoice} wrong amount
In der Invoice {invoice} ist der Amount falsch, {amount} statt {amount2}. Bitte eine Credit Note schicken
und neu ausstellen, unser Finance Team wartet auf das Closing.

Payment failed
Beim Payment kommt immer "transaction declined, code {error}", die Bank sagt aber, die Card ist ok. Due
Date der Rechnung {invoice} ist der {due}.

Double Charge
Unsere Subscription {plan} wurde doppelt gecharged, zweimal {fee} im {month}. Bitte um Refund auf dieselbe
Card.

PO Number fehlt
Auf der Rechnung {invoice} fehlt die PO Number {order}, unser Tool sagt "invoice rejected: missing
reference". Bitte reissuen.

# account
Account Owner Change
Unser Account {customer} läuft noch auf {man}, der nicht mehr in der Company ist. Bitte den Owner changen
und die Contact Details updaten.

Upgrade auf {plan}
Wir wollen ein Upgrade auf {plan}, aber der Button sagt "not available for your region". Contract ist
{contract}, wir brauchen auch {count} extra Seats.

Subscription kündigen
Ich möchte meine Subscription {contract} canceln, im Account gibt es dafür keinen Button, only "pause".
Please confirm das Ende schriftlich.

Delete my Account bitte
Bitte meinen Account {customer} deleten, die Self-Service Page sagt "request could not be processed
({error})". Thanks und viele Grüße.

# shipping
Tracking zeigt nichts
Das Tracking {tracking} zeigt seit {days} Tagen nur "shipment information received", meine Order {order}
ist also wohl nie verschickt worden. Any news?

Return Label needed
Ich will {product} zurückschicken und brauche ein Return Label, die Page sagt "order not eligible for
return". Gekauft am {date}, Order {order}.

Wrong item im Paket
In meinem Paket war ein wrong item, bestellt war {product}. Auf dem Label steht "picked by station
{count}". Bitte um Exchange.

Delivery delayed
Die Delivery für {order} ist schon wieder delayed, im Mail steht "new estimated date: {due}". Wir brauchen
die Ware ASAP in {city}.

# product
Question zu {product}
Ist {product} compatible mit dem alten Adapter? In der Description steht nur "works with most devices",
das hilft uns nicht wirklich weiter.

API für {app}?
Gibt es für {app} eine REST API oder nur den File Export? In der Doku steht "coming soon", unser Dev Team
würde gern am {due} starten.

Feature Request {app}
Ein Dark Mode in {app} wäre super nice, und Shortcuts für Power User. Steht das auf der Roadmap, oder eher
nice to have?

Quote für {count} Licenses
Wir brauchen einen Quote für {count} Licenses {plan}, gern mit Volume Discount. Das Budget Meeting ist am
{due}.

# security
Phishing Mail?
Ich habe eine Mail bekommen mit "Your mailbox is full, verify your password within 24 hours". Sieht sehr
nach Phishing aus, angeblich von {company}. Soll ich sie forwarden?

Malware Alert {asset}
Der Virus Scanner auf {asset} sagt "Threat found: Trojan.Generic, action required" und geht nicht mehr
weg. Ich habe das Device vom Network getrennt.

Suspicious Login
Im Account sehe ich einen suspicious Login von {ip} um {time}, "new device signed in". Das war ich nicht,
bitte alle Sessions killen.

Data Leak
Das Sheet von {dept} ist über einen Public Link "anyone with the link can view" offen. Da sind Customer
Daten drin, bitte asap schließen.

# outage
{app} down | Production down in {city}
{app} ist komplett down, alle User bekommen "503 Service Unavailable". Production in {city} steht seit
{time} Uhr. Bitte sofort jemanden dransetzen, es brennt.

Performance Issue {app}
Die Performance von {app} ist heute terrible, jeder Click dauert {count} Sekunden, dann "request timed
out". Das ganze Team in {city} ist affected.

Server {server} not responding
Der Server {server} ist not responding, Monitoring sagt "CRITICAL: host unreachable since {time}". Die
Backend Jobs stauen sich.

Shop offline
Unser Shop ist offline, der Checkout wirft nur "{error}: internal server error". Wir verlieren gerade
massiv Orders, circa {amount} bis jetzt.

# hr
Vacation Request pending
Mein Vacation Request ab {due} ist seit {days} Tagen "pending approval" bei {person}. Kann HR das bitte
pushen, ich muss den Flug buchen?

Payslip {month}
Im Payslip für {month} fehlen die Overtime Hours, {fee} zu wenig. Das Tool sagt "no data for this period".
Staff ID ist {staff}.

Onboarding {person}
{person} startet am {due} im Team {dept}. Ist das Onboarding ready, und wer macht das Welcome am ersten
Tag?

Home Office Policy
Gilt die neue Home Office Policy auch für Part-Time? Im Intranet steht nur "subject to manager approval",
mein Manager {man} ist aber on leave.

# other
Feedback zum Support
Just wanted to say: der Support von {person} am {date} war super nice und fast. Bitte weitergeben, great
job!

Wrong recipient
Ich bekomme seit {date} Mails mit "Dear {person}, please find attached", das bin ich aber nicht. Bitte aus
dem Verteiler removen.

Meeting Room {room} zu kalt
Im Meeting Room {room} ist die Heizung off, das Display sagt "energy saving mode". Who is responsible,
Facility oder der Vermieter?

Survey für meine Thesis
Für meine Master Thesis mache ich einen Survey, circa {minutes} Minuten. Darf ich den Link in eurer
Company sharen?
"""
"""German problems in office English, many with an English message quoted."""

GERMAN_DETAILS = """\
# hardware
Das Gerät ist erst {count3} Monate alt und müsste noch in der Garantie sein.
Die Seriennummer ist {serial}.
Ein Ersatzgerät aus dem Pool würde mir vorerst reichen.
Strom und Kabel habe ich geprüft, daran liegt es nicht.
Der Kollege vom Empfang hat schon einmal einen Neustart probiert.
Es steht im {floor}. Stock links neben der Teeküche.
Vor {days3} Tagen war schon einmal ein Techniker deswegen da.
Man hört beim Einschalten ein leises Klacken.
# software
Neustart und Abmelden haben nichts gebracht.
Das Problem tritt auch bei {person3} auf, aber nicht bei allen.
Einen Bildschirmausschnitt kann ich gern nachreichen.
Auf meinem alten Rechner lief dieselbe Version ohne Fehler.
Im Protokoll steht unter {time3} Uhr nur „unbehandelte Ausnahme“.
Den Zwischenspeicher habe ich bereits geleert.
Wir benutzen die Mehrbenutzervariante mit {count3} Arbeitsplätzen.
Ein Zurückgehen auf {version2} wäre für uns auch in Ordnung.
# access
Mein Vorgesetzter hat das bereits am {date3} freigegeben.
Gestern Abend hat die Anmeldung noch funktioniert.
Die Fehlermeldung lautet „Benutzername oder Kennwort ungültig“.
Feststelltaste und Tastaturlayout habe ich geprüft.
Mein Kürzel ist {login}.
Ohne den Zugang kann ich die Freigaben nicht erledigen.
Auch im privaten Browserfenster geht es nicht.
# network
Den Router habe ich schon zweimal neu gestartet.
Über den Hotspot vom Handy geht alles.
Bei den Kollegen im Nachbarbüro ist es genauso.
Die Lampe am Switch blinkt orange statt grün.
Am schlimmsten ist es zwischen {time3} Uhr und Feierabend.
Ein Traceroute endet nach dem dritten Hop.
Vorige Woche wurden dort Kabel neu verlegt.
# billing
Unsere Kundennummer lautet {customer}.
Der Kontoauszug liegt mir vor.
Der Monatsabschluss ist am {due3}, bis dahin brauche ich eine Antwort.
Telefonisch wurde mir gesagt, das sei ein Buchungsfehler.
Den Vertrag {contract} füge ich gern noch einmal bei.
Bitte keine weitere Mahnung, solange das nicht geklärt ist.
Wir sind vorsteuerabzugsberechtigt.
Es geht um den Standort {city}.
# account
Meine Kundennummer steht auch auf jedem Schreiben.
Unter „Mein Profil“ finde ich dafür keinen Menüpunkt.
Ich bin seit über {count3} Jahren Kunde.
Ausweiskopie schicke ich bei Bedarf gern nach.
In der App sieht es genauso aus wie auf der Webseite.
Der Vertrag läuft auf {company}.
Beim Speichern erscheint nur ein rotes Ausrufezeichen.
# shipping
Der Paketdienst verweist mich an Sie.
Die Ware war als Geschenk gedacht.
Bei den Nachbarn habe ich schon gefragt.
Bezahlt habe ich am {date3}, {amount3}.
Der Karton war außen schon eingedrückt.
Der Fahrer hat keine Benachrichtigung hinterlassen.
Unser Wareneingang ist werktags bis {time3} Uhr besetzt.
Ein Foto vom Aufkleber habe ich gemacht.
# product
Gekauft habe ich es vor etwa {count3} Wochen im Fachhandel in {city}.
Ein kurzer Anruf wäre mir auch recht.
Auf der Messe in {city} hieß es, das sei möglich.
Die Artikelnummer ist {part}.
Wir würden dann zum {due3} bestellen.
Im Forum gibt es dazu widersprüchliche Antworten.
Preislich sollte es unter {amount3} bleiben.
# security
Der Absender sah auf den ersten Blick echt aus.
Ich habe den Rechner vorsichtshalber ausgeschaltet.
Die Mail habe ich als Anhang gesichert.
Mindestens {count3} Kollegen haben dieselbe Nachricht bekommen.
Bitte sagen Sie mir, ob ich das Gerät weiter benutzen darf.
Den Datenschutzbeauftragten habe ich noch nicht informiert.
Auffällig war vor allem die Adresse {ip}.
# outage
Ein Neustart der Clients hat nichts geändert.
Betroffen sind nach unserem Stand {count3} Arbeitsplätze.
Kurz vorher gab es angeblich ein Wartungsfenster.
Manchmal geht es für ein paar Sekunden und dann wieder nicht.
Bei der Hotline war {minutes3} Minuten lang niemand zu erreichen.
Im Protokoll sehen wir nur {error}.
Wir melden das heute schon zum dritten Mal.
Die Kollegen in {city} haben dasselbe Bild.
# hr
Meine Personalnummer ist {staff}.
Ich bin in der Abteilung {dept} in {city} beschäftigt.
Im Intranet habe ich dazu zwei verschiedene Merkblätter gefunden.
Bitte behandeln Sie das vertraulich.
Mein Vertrag ist bis {due3} befristet.
{woman3} aus der Personalabteilung war leider nicht erreichbar.
Die Unterlagen liegen im Postfach der Abteilung.
# other
Ich wusste nicht, an wen ich mich sonst wenden soll.
Falls Sie nicht zuständig sind, leiten Sie es bitte weiter.
Auf der Webseite habe ich nur dieses Formular gefunden.
Es ist nicht eilig, nur damit es nicht untergeht.
Der Empfang hat mich an diese Adresse verwiesen.
Vor Ort in {city} bin ich meistens am {weekday}.
"""
"""What may be added to a German problem of the topic."""

ENGLISH_DETAILS = """\
# hardware
The device is only {count3} months old and should still be under warranty.
The serial number is {serial}.
A loan device from the pool would do for now.
I checked power and cables, that is not it.
Somebody at reception already tried a restart.
It is on floor {floor}, next to the kitchen.
A technician was here for this {days3} days ago.
There is a faint clicking noise when it is switched on.
# software
Restarting and signing out did not help.
{person3} has the same problem, but not everybody does.
I can send a screenshot if that helps.
The same version ran fine on my old computer.
At {time3} the log only says "unhandled exception".
I have cleared the cache already.
We use the multi-user edition with {count3} seats.
Going back to {version2} would be fine for us too.
# access
My manager approved this on {date3}.
Last night I could still log in.
The message is "user name or password invalid".
I checked caps lock and the keyboard layout.
My login is {login}.
Without it I cannot do my approvals.
A private browser window makes no difference.
# network
I have restarted the router twice.
Everything works through my phone's hotspot.
Colleagues in the next office have the same.
The light on the switch blinks orange instead of green.
It is worst between {time3} and the end of the day.
A traceroute ends after the third hop.
New cables were laid there last week.
# billing
Our customer number is {customer}.
I have the bank statement here.
Month end closing is on {due3}, so I need an answer before that.
On the phone I was told this was a booking mistake.
I can send contract {contract} again if needed.
Please send no further reminders until this is settled.
This is about our {city} site.
# account
My customer number is on every letter as well.
There is no menu item for it under "My profile".
I have been a customer for over {count3} years.
I can send proof of identity if you need it.
The app looks the same as the website.
The contract is in the name of {company}.
Saving only shows a red exclamation mark.
# shipping
The carrier tells me to contact you.
It was meant to be a present.
I have already asked the neighbours.
I paid {amount3} on {date3}.
The box was already dented on the outside.
The driver left no card.
Our goods-in is staffed on weekdays until {time3}.
I took a photo of the label.
# product
I bought it about {count3} weeks ago from a dealer in {city}.
A short call would be fine too.
At the trade fair in {city} we were told it was possible.
The part number is {part}.
We would order by {due3}.
The forum has contradictory answers.
The price should stay below {amount3}.
# security
The sender looked genuine at first glance.
I switched the computer off to be safe.
I kept the message as an attachment.
At least {count3} colleagues got the same message.
Please tell me whether I may keep using the device.
I have not told the data protection officer yet.
What stood out was the address {ip}.
# outage
Restarting the clients changed nothing.
As far as we know {count3} workplaces are affected.
There was supposedly a maintenance window just before.
Sometimes it works for a few seconds and then stops again.
Nobody picked up at the hotline for {minutes3} minutes.
All we see in the log is {error}.
This is the third time we report it today.
Colleagues in {city} see the same.
# hr
My staff number is {staff}.
I work in {dept} in {city}.
The intranet has two different leaflets about it.
Please treat this confidentially.
My contract is limited until {due3}.
{person3} from the HR office could not be reached.
The papers are in the department's mailbox.
# other
I did not know whom else to ask.
If this is not your area, please pass it on.
This form was the only contact I found on the website.
It is not urgent, I just do not want it to get lost.
Reception gave me this address.
I am usually in {city} on {weekday}.
"""
"""What may be added to an English problem of the topic."""

GERMAN_COMMON = """\
# greeting_formal
Sehr geehrte Damen und Herren,
Sehr geehrtes Support-Team,
Guten Tag,
Guten Morgen,
Sehr geehrte Frau {surname},
Sehr geehrter Herr {surname},
# greeting_informal
Hallo,
Hallo zusammen,
Hi,
Moin,
Hallo liebes Team,
Servus,
Hallo {given},
# opening_polite
Ich hoffe, Sie können mir weiterhelfen.
Ich hätte eine Bitte an Sie.
Vielen Dank schon einmal, dass Sie sich Zeit nehmen.
Entschuldigen Sie die Störung, ich komme hier nicht weiter.
Ich wende mich mit folgendem Anliegen an Sie.
# opening_neutral
Es geht um Folgendes.
Kurze Meldung von unserer Seite.
Ich melde mich aus der Abteilung {dept}.
Bitte um Bearbeitung.
Wir haben hier folgendes Thema.
# opening_frustrated
Leider muss ich mich schon wieder melden.
Das ist inzwischen mein dritter Versuch, jemanden zu erreichen.
Auf meine Anfrage vom {date2} (Ticket {ticket}) kam bisher keine Antwort.
Langsam bin ich ratlos.
Schon wieder dasselbe Theater.
# opening_furious
Das kann doch wohl nicht wahr sein!
Ich bin stinksauer.
Was ist bei Ihnen eigentlich los?!
Jetzt reicht es mir endgültig.
So etwas Unverschämtes habe ich noch nicht erlebt!
# opening_thankful
Erst einmal danke für die schnelle Hilfe beim letzten Mal.
Vielen Dank für Ihre freundliche Antwort von neulich.
Danke, das Telefonat mit {person2} war sehr hilfreich.
Super, dass es Sie gibt.
# context
Im Haus weiß leider niemand Bescheid.
Ein Kollege hatte vor Kurzem etwas Ähnliches, da ging es um die Vorgangsnummer {ticket}.
Am Telefon hing ich {minutes2} Minuten in der Warteschleife.
Dazu gab es schon einmal das Ticket {ticket}.
Ich sitze am Standort {city} und bin meistens bis {time2} Uhr erreichbar.
Die Unterlagen dazu liegen mir vor.
Zu dem Thema habe ich am {date2} schon mit {person2} gesprochen.
# context_fault
Das geht seit {weekday} so.
Seit {date2} besteht das unverändert.
Bis vor {days2} Tagen war noch alles in Ordnung.
Gestern um {time2} Uhr ist es mir zum ersten Mal aufgefallen.
Die Anleitung aus dem Hilfebereich habe ich Schritt für Schritt durchgespielt.
# impact_it
Wir können so nicht weiterarbeiten.
Mir läuft die Zeit davon, am {due2} ist Abgabe.
Im Moment behelfe ich mich mit Papier und Stift.
Betroffen bin bisher nur ich.
Die ganze Abteilung {dept} wartet darauf.
Solange arbeite ich am Rechner von {person2}.
Eilig ist es nicht, aber lästig.
# impact_trade
Ich brauche bis {due2} eine verbindliche Aussage.
Für uns hängt ein Kundenauftrag daran.
Es ist nicht dringend, sollte aber nicht liegen bleiben.
Unser Einkauf wartet auf die Rückmeldung.
Wenn das nicht klappt, muss ich mich anderweitig umsehen.
# impact_people
Bis {due2} müsste ich Bescheid wissen.
Es wäre schön, wenn das bald geklärt wird.
Eine Antwort bis Ende der Woche genügt völlig.
Mir ist vor allem eine klare Auskunft wichtig.
# urgent_production
Die Produktion steht, jede Minute zählt.
Produktion steht!
Bitte sofort, hier steht alles still.
Wir haben hier einen Notfall, {count2} Leute können nicht arbeiten.
Das ist absolut dringend, bitte umgehend jemanden schicken.
# urgent_it
Das ist absolut dringend, bitte sofort jemanden darauf ansetzen.
Bitte umgehend handeln, wir wissen hier nicht weiter.
Sehr dringend, bitte sofort zurückrufen unter 030 23125 {ext}.
# urgent_trade
Das ist dringend, der Kunde wartet seit {days2} Tagen.
Bitte noch heute erledigen, sonst platzt der Auftrag.
Dringend: die Frist läuft heute um {time2} Uhr ab.
# urgent_people
Das ist dringend, die Frist läuft am {due2} ab.
Bitte noch heute klären, es eilt wirklich.
# subject_urgent
DRINGEND:
Eilt!
dringend -
WICHTIG:
Eskalation:
# tone_polite
Über eine kurze Rückmeldung würde ich mich sehr freuen.
Für Ihre Mühe bedanke ich mich im Voraus.
Ich weiß, dass Sie viel zu tun haben, es hat Zeit bis {weekday}.
Wenn noch Angaben fehlen, melden Sie sich gern.
# tone_neutral
Für Rückfragen bin ich unter der Durchwahl {ext} erreichbar.
Rückmeldung bitte per E-Mail.
Weitere Angaben auf Anfrage.
Bitte die Vorgangsnummer im Betreff angeben.
# tone_frustrated
Es ist sehr ärgerlich, dass sich niemand zuständig fühlt.
So langsam verliere ich die Geduld.
Das kostet mich jeden Tag eine halbe Stunde.
Warum dauert das so lange?
Ich habe das jetzt schon {few} Mal gemeldet und nichts passiert.
Ehrlich gesagt bin ich enttäuscht.
# tone_furious
Das ist eine absolute Frechheit!!!
So einen miserablen Service habe ich noch nie erlebt.
Wenn ich bis {due2} nichts höre, geht die Sache an unseren Anwalt.
ICH WILL JETZT ENDLICH EINE ANTWORT!
Sie können sich sicher sein, dass wir den Anbieter wechseln.
Eine Unverschämtheit, wie man hier behandelt wird!
# tone_thankful
Herzlichen Dank, Sie machen einen tollen Job.
Vielen lieben Dank für die Unterstützung.
Bin wirklich zufrieden mit Ihrem Service, weiter so.
Danke euch, ihr seid klasse!
# request_formal
Bitte prüfen Sie das und geben Sie mir Bescheid.
Könnten Sie sich das bitte ansehen?
Ich bitte um zeitnahe Bearbeitung.
Wie ist hier das weitere Vorgehen?
Bitte teilen Sie mir mit, bis wann ich mit einer Lösung rechnen kann.
Wir bitten um kurzfristige Rückmeldung bis {due2}.
# request_informal
Könnt ihr da mal draufschauen?
Was kann ich da machen?
Bitte schaut euch das mal an.
Kann sich jemand bei mir melden?
Wisst ihr, woran das liegt?
Wäre super, wenn das bis {weekday} klappt.
# closing_formal
Mit freundlichen Grüßen
Freundliche Grüße
Mit bestem Dank und freundlichen Grüßen
Beste Grüße
Hochachtungsvoll
# closing_informal
Viele Grüße
LG
Gruß
Danke und Gruß
VG
Liebe Grüße
# signature
Abteilung {dept} | Telefon 030 23125 {ext}
{company}, {city}
{dept}, Standort {city}
{company} | {city} | Tel. 030 23125 {ext}
# quote
Am {date2} um {time2} Uhr schrieb der Kundenservice:
-----Ursprüngliche Nachricht----- Von: Support, gesendet: {date2}, {time2} Uhr
# quoted
> Vielen Dank für Ihre Anfrage. Ihr Vorgang {ticket} wird bearbeitet.
> Ihre Nachricht ist bei uns eingegangen, wir melden uns in {count2} Stunden.
> Wir haben Ihre Angaben geprüft und melden uns bis {due2}.
> Der Vorgang {ticket} wurde an die Fachabteilung weitergeleitet.
> Können Sie uns bitte noch die Kundennummer nennen?
# postscript
PS: Mein Ticket {ticket} wegen des Druckers ist übrigens auch noch offen.
PS: Auf die Antwort zu meiner Rechnung warte ich auch noch.
Nebenbei: das neue Portal gefällt mir gut.
PS: Das Passwort für {app} habe ich inzwischen wiedergefunden, das hat sich erledigt.
Außerdem war bei uns letzte Woche das WLAN weg, vielleicht hängt es zusammen.
# message
Gibt es hier schon etwas Neues? Meine Meldung ist vom {date}.
Wie gewünscht hier noch die fehlende Angabe: {serial}, Kundennummer {customer}.
Ich wollte noch einmal nachfragen, wann ich mit einer Antwort rechnen kann. Zugesagt war {weekday}.
Danke für die schnelle Rückmeldung. Am {due} bin ich von {time} Uhr an erreichbar.
Seit {days} Tagen keine Reaktion. Bitte geben Sie das an Ihren Vorgesetzten weiter!
Bitte nicht vor {weekday} anrufen, ich bin bis dahin in {city} unterwegs. Vertretung ist {person}.
Die Frist endet am {due}, deshalb noch einmal die Bitte um eine Rückmeldung.
Rückruf bitte unter 030 23125 {ext}, am besten zwischen {time} Uhr und Feierabend.
Ich setze {person} aus der Abteilung {dept} in Kopie, dort liegt die Freigabe.
# message_fault
Nachtrag: es tritt inzwischen auch am Standort {city} auf, betroffen sind jetzt {count} Personen.
Ich habe Ihren Vorschlag ausprobiert, leider ohne Erfolg. Jetzt kommt {error}.
Kurze Ergänzung, um {time} Uhr ist es wieder aufgetreten und nach {minutes} Minuten von selbst verschwunden.
Im Anhang finden Sie den gewünschten Bildschirmausschnitt von {time} Uhr, mehr habe ich leider nicht.
Hat sich bis heute ({weekday}) leider nicht gebessert, eher im Gegenteil.
# thanks
Perfekt, jetzt klappt es wieder. Vielen Dank für die schnelle Hilfe, {given}!
Super, das war die Lösung. Seit {time} Uhr läuft alles, danke und einen schönen Tag.
Herzlichen Dank, damit ist die Sache für mich erledigt. Von mir aus kann Vorgang {ticket} zu.
# reopened
Leider ist das Problem seit {time} Uhr wieder da, bitte den Vorgang erneut öffnen.
Die Lösung hat nur {days} Tage gehalten, jetzt ist alles wie vorher. Bitte noch einmal prüfen.
Der Vorgang wurde geschlossen, ohne dass etwas passiert ist. Ich bitte um Wiederaufnahme bis {due}.
# resolved
Der Vorgang ist gelöst. Bei Rückfragen antworten Sie bitte auf diese Nachricht.
Das Anliegen ist aus unserer Sicht erledigt, wir haben die Einstellung um {time} Uhr angepasst.
Gelöst nach Rücksprache mit {person}. Wir schließen den Vorgang in {days} Tagen.
"""
"""German sentences for any topic, by their part in the message."""

ENGLISH_COMMON = """\
# greeting_formal
Dear Sir or Madam,
Dear support team,
Good morning,
Good afternoon,
Dear Ms {surname},
Dear Mr {surname},
# greeting_informal
Hi,
Hello,
Hi all,
Hi team,
Hey,
Hi there,
Hi {given},
# opening_polite
I hope you can help me with this.
I would be grateful for your help.
Thank you for taking the time to read this.
Sorry to bother you, but I am stuck.
I am writing about the following.
# opening_neutral
This is about the following.
Just reporting this from our side.
I am writing from {dept}.
Please process the following.
We have an issue here.
# opening_frustrated
I am afraid I have to contact you again.
This is my third attempt to reach somebody.
I got no answer to my request of {date2} (ticket {ticket}).
I am slowly running out of ideas.
Same thing all over again.
# opening_furious
This cannot be happening!
I am absolutely furious.
What on earth is going on at your company?!
I have had enough.
I have never seen anything this outrageous!
# opening_thankful
First of all, thank you for the quick help last time.
Many thanks for your kind reply the other day.
Thanks, the call with {person2} was really helpful.
Great that you are there.
# context
Nobody here knows anything about it.
A colleague had something similar recently, the case number was {ticket}.
I spent {minutes2} minutes on hold on the phone.
There was an earlier ticket about this, {ticket}.
I am based in {city} and can usually be reached until {time2}.
I have all the documents here.
I already talked to {person2} about this on {date2}.
# context_fault
This has been going on since {weekday}.
Nothing has changed since {date2}.
Until {days2} days ago everything was fine.
I first noticed it at {time2} yesterday.
I followed the steps in the help centre one by one.
# impact_it
We cannot go on working like this.
I am running out of time, my deadline is {due2}.
For now I manage with pen and paper.
So far only I am affected.
All of {dept} is waiting for this.
In the meantime I use {person2}'s computer.
It is not urgent, just annoying.
# impact_trade
I need a definite answer by {due2}.
A customer order depends on it.
It is not urgent, but please do not let it drop.
Our purchasing team is waiting for your answer.
If this does not work out I will have to look elsewhere.
# impact_people
I would need to know by {due2}.
It would be nice to have this sorted out soon.
An answer by the end of the week is fine.
A clear answer is what matters most to me.
# urgent_production
Production is down, every minute counts.
Production has stopped!
Please help right now, everything is at a standstill.
This is an emergency, {count2} people cannot work.
This is extremely urgent, please send somebody at once.
# urgent_it
This is extremely urgent, please put somebody on it right away.
Please act now, we do not know what else to do.
Very urgent, please call me at once on 020 7946 0{ext}.
# urgent_trade
This is urgent, the customer has been waiting for {days2} days.
Please do this today or we lose the order.
Urgent: the deadline is today at {time2}.
# urgent_people
This is urgent, the deadline is {due2}.
Please sort this out today, it really cannot wait.
# subject_urgent
URGENT:
Urgent -
ASAP:
IMPORTANT:
Escalation:
# tone_polite
I would really appreciate a short reply.
Thank you in advance for your trouble.
I know you are busy, it can wait until {weekday}.
If anything is missing, just let me know.
# tone_neutral
You can reach me on extension {ext}.
Please reply by e-mail.
More details on request.
Please quote the case number in the subject line.
# tone_frustrated
It is very annoying that nobody feels responsible.
I am slowly losing patience.
This costs me half an hour every day.
Why does this take so long?
I have reported this {few} times and nothing happens.
To be honest, I am disappointed.
# tone_furious
This is an absolute disgrace!!!
I have never had such terrible service.
If I hear nothing by {due2} this goes to our lawyer.
I WANT AN ANSWER NOW!
You can be sure we will change provider.
It is outrageous how customers are treated here!
# tone_thankful
Thank you so much, you are doing a great job.
Many thanks for your support.
I am really happy with your service, keep it up.
Thanks a lot, you are brilliant!
# request_formal
Please look into this and let me know.
Could you please check?
I would ask you to handle this soon.
How do we proceed from here?
Please tell me when I can expect a solution.
We kindly ask for a reply by {due2}.
# request_informal
Can you have a look?
What can I do?
Please take a look at this.
Can somebody get back to me?
Any idea what is going on?
Would be great to have this by {weekday}.
# closing_formal
Kind regards
Yours sincerely
Best regards
With kind regards
Yours faithfully
# closing_informal
Thanks
Cheers
Best
Thanks and bye
Many thanks
Take care
# signature
{dept} | phone 020 7946 0{ext}
{company}, {city}
{dept}, {city} office
{company} | {city} | tel. 020 7946 0{ext}
# quote
On {date2} at {time2} customer service wrote:
-----Original message----- From: Support, sent: {date2}, {time2}
# quoted
> Thank you for your request. Your case {ticket} is being processed.
> We have received your message and will get back to you within {count2} hours.
> We have checked your details and will get back to you by {due2}.
> Case {ticket} has been passed on to the specialists.
> Could you give us your customer number, please?
# postscript
PS: My ticket {ticket} about the printer is still open as well.
PS: I am also still waiting for an answer about my invoice.
By the way, I like the new portal.
PS: I found my password for {app} again, so that one is settled.
Our wifi was down last week too, maybe it is related.
# message
Is there any news on this? I reported it on {date}.
Here is the missing detail you asked for: {serial}, customer number {customer}.
I just wanted to ask again when I can expect an answer. I was promised {weekday}.
Thanks for the quick reply. On {due} I can be reached from {time} on.
No reaction for {days} days. Please pass this on to your manager!
Please do not call before {weekday}, I am travelling in {city}. My deputy is {person}.
The deadline is {due}, so once again: could somebody please answer?
Please call me back on 020 7946 0{ext}, preferably after {time}.
I am copying {person} from {dept}, who holds the approval.
# message_fault
Update: it now happens in {city} as well, {count} people are affected.
I tried what you suggested without success. Now it says {error}.
A short addition: at {time} it happened again and went away by itself after {minutes} minutes.
Attached is the screenshot from {time} you asked for, I am afraid I have nothing more.
As of {weekday} it is no better, quite the opposite.
# thanks
Perfect, it works again now. Thank you for the quick help, {given}!
Great, that was the solution. All good since {time}, thanks and have a nice day.
Many thanks, this is settled for me. You can close case {ticket}.
# reopened
Unfortunately the problem came back at {time}, please open the case again.
The fix lasted only {days} days, now everything is as before. Please check once more.
The case was closed although nothing was done. Please take it up again by {due}.
# resolved
This case has been resolved. If you have questions, please reply to this message.
We consider this settled; the setting was changed at {time}.
Resolved after talking to {person}. We will close the case in {days} days.
"""
"""English sentences for any topic, by their part in the message."""

MIXED_COMMON = """\
# error_block
Error {error}: the operation could not be completed. Please contact your administrator.
FATAL {server}: connection reset by peer after {count} attempts ({error})
Exception in module "sync": value cannot be null (code {error}, build {version})
Warning: your request could not be processed at this time. Reference {ticket}.
ERROR {time} access to the resource was denied. Reason: policy violation {error}.
Sorry, something went wrong. Please try again later or quote {ticket} to our support.
"""
"""What a German message quotes in English."""

FRENCH_FAMILIES = """\
# hardware
Imprimante en panne
L'imprimante {printer} du bureau {room} n'imprime plus depuis ce matin et affiche {error}. Pouvez-vous
envoyer quelqu'un ?

# software
{app} se ferme tout seul
Depuis la mise à jour {version}, le logiciel {app} se ferme dès que j'enregistre un document et affiche
l'erreur {error}.

# access
Mot de passe oublié
J'ai oublié mon mot de passe et je n'arrive plus à me connecter avec mon identifiant {login}. Merci de le
réinitialiser.

# network
Connexion VPN impossible
Je n'arrive pas à établir la connexion VPN depuis la maison, le message {error} apparaît toutes les
{minutes} minutes.

# billing
Facture {invoice} incorrecte
La facture {invoice} indique un montant de {amount} alors que nous avions convenu de {amount2}. Merci de
la corriger.

# account
Changement d'adresse
Je viens de déménager et je voudrais modifier l'adresse de mon compte client {customer}. Comment dois-je
faire ?

# shipping
Colis jamais reçu
Ma commande {order} passée il y a {days} jours n'est toujours pas arrivée. Le numéro de suivi est
{tracking}.

# product
Question sur {product}
Je voudrais savoir si l'appareil {product} est compatible avec l'ancien modèle et s'il existe un mode
d'emploi en français.

# security
Courriel suspect
J'ai reçu un courriel suspect de la part de {company} qui me demande mon mot de passe. Est-ce une
tentative d'hameçonnage ?

# outage
{app} ne répond plus
Le service {app} est en panne depuis {time}, personne ne peut travailler et toute la production est
arrêtée. C'est urgent !

# hr
Demande de congé
Ma demande de congé est en attente depuis {days} jours. Mon matricule est {staff}. Qui peut la valider en
l'absence de {person} ?

# other
Horaires d'ouverture
Quels sont vos horaires d'ouverture pendant les fêtes ? Je n'ai pas trouvé cette information sur votre
site.
"""
"""French problems by topic: short, since no team reads them."""

FRENCH_COMMON = """\
# greeting
Bonjour,
Bonsoir,
Madame, Monsieur,
# context
Le problème existe depuis {days} jours.
J'ai déjà appelé trois fois sans obtenir de réponse.
Je suis disponible par téléphone cet après-midi.
C'est assez pressé, merci de votre compréhension.
# closing
Cordialement
Merci d'avance
Bien à vous
# message
Bonjour, je n'ai toujours pas reçu de réponse à ma demande. Pouvez-vous me rappeler avant {time} ?
Voici l'information demandée : {serial}. Merci de me tenir au courant.
"""
"""French sentences for any topic, by their part in the message."""

SPANISH_FAMILIES = """\
# hardware
La impresora no funciona
La impresora {printer} de la oficina {room} no imprime desde esta mañana y muestra el código {error}.
¿Pueden enviar a alguien?

# software
{app} se cierra solo
Desde la actualización a la versión {version}, el programa {app} se cierra cuando guardo un documento y
aparece el error {error}.

# access
He olvidado mi contraseña
He olvidado mi contraseña y ya no puedo entrar con mi usuario {login}. Por favor, necesito que la
restablezcan hoy.

# network
No funciona la VPN
No consigo conectarme a la red de la empresa desde casa, la conexión se corta cada {minutes} minutos con
el mensaje {error}.

# billing
Factura {invoice} incorrecta
En la factura {invoice} aparece un importe de {amount}, pero habíamos acordado {amount2}. Les ruego que la
corrijan.

# account
Cambio de dirección
Me he mudado y quisiera cambiar la dirección de mi cuenta de cliente {customer}. ¿Qué tengo que hacer?

# shipping
Mi pedido no ha llegado
Mi pedido {order} debía llegar hace {days} días y todavía no lo he recibido. El número de seguimiento es
{tracking}.

# product
Pregunta sobre {product}
Quisiera saber si el aparato {product} es compatible con el modelo anterior y si existe un manual en
español.

# security
Correo sospechoso
He recibido un correo sospechoso de {company} en el que me piden la contraseña. ¿Se trata de un intento de
fraude?

# outage
{app} no responde
El servicio {app} está caído desde las {time}, nadie puede trabajar y la producción está parada. ¡Es muy
urgente!

# hr
Solicitud de vacaciones
Mi solicitud de vacaciones lleva {days} días sin respuesta. Mi número de empleado es {staff}. ¿Quién puede
aprobarla?

# other
Horario de apertura
¿Cuál es el horario de apertura durante las fiestas? No he encontrado esta información en su página web.
"""
"""Spanish problems by topic: short, since no team reads them."""

SPANISH_COMMON = """\
# greeting
Buenos días:
Hola:
Estimados señores:
# context
El problema existe desde hace {days} días.
Ya he llamado tres veces y nadie me ha contestado.
Estoy disponible por teléfono esta tarde.
Es bastante urgente, gracias por su comprensión.
# closing
Un saludo
Muchas gracias
Atentamente
# message
Buenos días, todavía no he recibido ninguna respuesta. ¿Pueden llamarme antes de las {time}?
Aquí está el dato que me pidieron: {serial}. Quedo a la espera de sus noticias.
"""
"""Spanish sentences for any topic, by their part in the message."""

POLISH_FAMILIES = """\
# hardware
Drukarka nie działa
Drukarka {printer} w pokoju {room} od rana nie drukuje i wyświetla błąd {error}. Czy ktoś może przyjść i
sprawdzić?

# software
{app} zamyka się przy zapisie
Po aktualizacji do wersji {version} program {app} zamyka się przy każdym zapisie dokumentu i pokazuje błąd
{error}.

# access
Zapomniałem hasła
Zapomniałem hasła i nie mogę zalogować się na konto {login}. Proszę o jego zresetowanie jeszcze dzisiaj.

# network
Połączenie VPN jest zrywane
Podczas pracy z domu połączenie z siecią firmową jest zrywane co {minutes} minut, pojawia się komunikat
{error}.

# billing
Błędna faktura {invoice}
Na fakturze {invoice} widnieje kwota {amount}, a zgodnie z umową powinno być {amount2}. Proszę o korektę.

# account
Zmiana adresu
Przeprowadziłem się i chciałbym zmienić adres na moim koncie klienta {customer}. Co powinienem zrobić?

# shipping
Paczka nie dotarła
Moje zamówienie {order} miało dotrzeć {days} dni temu i nadal go nie otrzymałem. Numer przesyłki to
{tracking}.

# product
Pytanie o {product}
Chciałbym się dowiedzieć, czy urządzenie {product} pasuje do starszego modelu i czy jest instrukcja w
języku polskim.

# security
Podejrzana wiadomość
Otrzymałem podejrzaną wiadomość od firmy {company}, w której proszą mnie o podanie hasła. Czy to oszustwo?

# outage
{app} nie odpowiada
System {app} nie działa od godziny {time}, nikt nie może pracować, a produkcja stoi. To bardzo pilne!

# hr
Wniosek urlopowy
Mój wniosek o urlop od {days} dni czeka na zatwierdzenie. Mój numer pracownika to {staff}. Kto może go
zatwierdzić?

# other
Godziny otwarcia
Jakie są godziny otwarcia w okresie świątecznym? Nie znalazłem tej informacji na państwa stronie
internetowej.
"""
"""Polish problems by topic: short, since no team reads them."""

POLISH_COMMON = """\
# greeting
Dzień dobry,
Witam,
Szanowni Państwo,
# context
Problem występuje od {days} dni.
Dzwoniłem już trzy razy i nikt nie odpowiedział.
Dzisiaj po południu jestem dostępny pod telefonem.
Sprawa jest dość pilna, dziękuję za wyrozumiałość.
# closing
Pozdrawiam
Z poważaniem
Dziękuję z góry
# message
Dzień dobry, nadal nie otrzymałem odpowiedzi. Czy mogą państwo zadzwonić przed godziną {time}?
Przesyłam brakującą informację: {serial}. Proszę o wiadomość, co dalej.
"""
"""Polish sentences for any topic, by their part in the message."""

ITALIAN_FAMILIES = """\
# hardware
Stampante guasta
La stampante {printer} dell'ufficio {room} non stampa più da questa mattina e mostra il codice {error}.
Potete mandare qualcuno?

# software
{app} si chiude da solo
Dopo l'aggiornamento alla versione {version} il programma {app} si chiude ogni volta che salvo un
documento, con l'errore {error}.

# access
Password dimenticata
Ho dimenticato la password e non riesco più ad accedere con il mio utente {login}. Vi chiedo gentilmente
di reimpostarla.

# network
La VPN non funziona
Non riesco a collegarmi alla rete aziendale da casa, la connessione cade ogni {minutes} minuti con il
messaggio {error}.

# billing
Fattura {invoice} errata
Nella fattura {invoice} risulta un importo di {amount}, ma avevamo concordato {amount2}. Vi prego di
correggerla.

# account
Cambio di indirizzo
Mi sono trasferito e vorrei modificare l'indirizzo del mio account cliente {customer}. Che cosa devo fare?

# shipping
Pacco non arrivato
Il mio ordine {order} doveva arrivare {days} giorni fa e non l'ho ancora ricevuto. Il numero di spedizione
è {tracking}.

# product
Domanda su {product}
Vorrei sapere se l'apparecchio {product} è compatibile con il modello precedente e se esiste un manuale in
italiano.

# security
Messaggio sospetto
Ho ricevuto un messaggio sospetto da {company} in cui mi chiedono la password. Si tratta di un tentativo
di truffa?

# outage
{app} non risponde
Il servizio {app} è fermo dalle {time}, nessuno riesce a lavorare e tutta la produzione è bloccata. È
urgentissimo!

# hr
Richiesta di ferie
La mia richiesta di ferie è in attesa da {days} giorni. Il mio numero di matricola è {staff}. Chi può
approvarla?

# other
Orari di apertura
Quali sono gli orari di apertura durante le feste? Non ho trovato questa informazione sul vostro sito.
"""
"""Italian problems by topic: short, since no team reads them."""

ITALIAN_COMMON = """\
# greeting
Buongiorno,
Salve,
Gentili signori,
# context
Il problema esiste da {days} giorni.
Ho già telefonato tre volte senza ricevere risposta.
Oggi pomeriggio sono raggiungibile per telefono.
È piuttosto urgente, grazie per la comprensione.
# closing
Cordiali saluti
Grazie in anticipo
Distinti saluti
# message
Buongiorno, non ho ancora ricevuto nessuna risposta. Potete richiamarmi prima delle {time}?
Ecco il dato che mi avete chiesto: {serial}. Resto in attesa di notizie.
"""
"""Italian sentences for any topic, by their part in the message."""

TURKISH_FAMILIES = """\
# hardware
Yazıcı çalışmıyor
{room} numaralı odadaki {printer} yazıcı bu sabahtan beri yazdırmıyor ve {error} hatası veriyor. Birini
gönderebilir misiniz?

# software
{app} kendiliğinden kapanıyor
{version} güncellemesinden sonra {app} programı her kaydetmede kapanıyor ve {error} hatasını gösteriyor.

# access
Şifremi unuttum
Şifremi unuttum ve {login} kullanıcı adımla giriş yapamıyorum. Lütfen şifremi bugün sıfırlayın.

# network
VPN bağlantısı kopuyor
Evden çalışırken şirket ağına bağlantım her {minutes} dakikada bir kopuyor ve {error} mesajı görünüyor.

# billing
{invoice} numaralı fatura yanlış
{invoice} numaralı faturada {amount} yazıyor, ancak anlaştığımız tutar {amount2} idi. Lütfen faturayı
düzeltin.

# account
Adres değişikliği
Yeni bir eve taşındım ve {customer} numaralı müşteri hesabımdaki adresi değiştirmek istiyorum. Ne yapmam
gerekiyor?

# shipping
Kargom gelmedi
{order} numaralı siparişim {days} gün önce gelmeliydi, ama hâlâ elime ulaşmadı. Takip numarası {tracking}.

# product
{product} hakkında soru
{product} cihazının eski modelle uyumlu olup olmadığını ve Türkçe kullanım kılavuzu bulunup bulunmadığını
öğrenmek istiyorum.

# security
Şüpheli e-posta
{company} adına şüpheli bir e-posta aldım, benden şifremi istiyorlar. Bu bir dolandırıcılık girişimi mi?

# outage
{app} yanıt vermiyor
{app} sistemi saat {time} itibarıyla çalışmıyor, kimse iş yapamıyor ve üretim durdu. Çok acil!

# hr
İzin talebi
İzin talebim {days} gündür onay bekliyor. Personel numaram {staff}. Talebimi kim onaylayabilir?

# other
Çalışma saatleri
Bayram günlerinde çalışma saatleriniz nedir? İnternet sitenizde bu bilgiyi bulamadım.
"""
"""Turkish problems by topic: short, since no team reads them."""

TURKISH_COMMON = """\
# greeting
Merhaba,
İyi günler,
Sayın yetkili,
# context
Bu sorun {days} gündür devam ediyor.
Üç kez aradım ama kimse cevap vermedi.
Bugün öğleden sonra bana telefonla ulaşabilirsiniz.
Konu oldukça acil, anlayışınız için teşekkürler.
# closing
Saygılarımla
Şimdiden teşekkürler
İyi çalışmalar
# message
İyi günler, hâlâ bir yanıt alamadım. Saat {time} olmadan beni arayabilir misiniz?
İstediğiniz bilgi şu: {serial}. Lütfen beni gelişmelerden haberdar edin.
"""
"""Turkish sentences for any topic, by their part in the message."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "laptop": ("Norvik 14", "Norvik 15 Pro", "Tarnholm L480", "Tarnholm L520", "Quellbook 13", "Brixa Ultra 7"),
    "printer": ("Pellwerk 320", "Pellwerk 540c", "Inkora M200", "Inkora M450dn", "Druvex 12"),
    "monitor": ("Lumarek 27", "Lumarek 32Q", "Vistano 24"),
    "phone": ("Kolibro 5", "Kolibro 6 Plus", "Zentia S2", "Zentia S3 Mini"),
    "dock": ("Dockara 2", "Dockara 2 Pro", "Portalux D6"),
    "headset": ("Hallowin 40", "Hallowin 65 BT", "Tonvik H3"),
    "scanner": ("Skanova H1", "Skanova H2 Rugged", "Piktor 70"),
    "app": (
        "FaktoFlow",
        "Lagerix",
        "Vertiqo",
        "Planoro",
        "Docuvana",
        "Kundari",
        "Zeitwerkel",
        "Terminox",
        "Belegona",
        "Montiva",
    ),
    "product": (
        "Moliva 2",
        "Moliva 3 Plus",
        "Aquatrell 500",
        "Sondra Hub",
        "Helioxa 3",
        "Ventaro Mini",
        "Tessaro 12",
        "Kornella Duo",
        "Wandolin X",
        "Brumbach 40",
    ),
    "plan": ("Kontor S", "Kontor M", "Kontor XL", "Team Plus", "Team Premium"),
    "company": (
        "Brennholt Metallbau GmbH",
        "Quandelmeier Logistik",
        "Tessmark Foods",
        "Orlvik Maschinen AG",
        "Pfeffling & Söhne",
        "Norrwald Energie",
        "Kallistra Media",
        "Zwirnhof Textil",
        "Mirabento Ltd",
        "Hartlewick Supplies",
        "Ziegenrot Bau KG",
        "Lumenfeld Optik",
    ),
    "drive": ("G:", "K:", "P:", "S:", "T:", "X:"),
}
"""Names that are the same in every language, by slot."""

LOCAL_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "de": {
        "dept": (
            "Buchhaltung",
            "Vertrieb",
            "Einkauf",
            "Logistik",
            "Konstruktion",
            "Marketing",
            "Qualitätssicherung",
            "Arbeitsvorbereitung",
            "Kundendienst",
            "Finanzcontrolling",
        ),
        "city": (
            "Hamburg",
            "München",
            "Köln",
            "Leipzig",
            "Nürnberg",
            "Dresden",
            "Osnabrück",
            "Würzburg",
            "Graz",
            "Zürich",
            "Lübeck",
            "Göttingen",
        ),
        "weekday": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
        "month": (
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ),
    },
    "en": {
        "dept": (
            "Accounting",
            "Sales",
            "Purchasing",
            "Logistics",
            "Engineering",
            "Marketing",
            "Quality",
            "Production Planning",
            "Customer Care",
            "Controlling",
        ),
        "city": (
            "London",
            "Manchester",
            "Dublin",
            "Leeds",
            "Hamburg",
            "Munich",
            "Vienna",
            "Zurich",
            "Rotterdam",
            "Boston",
            "Bristol",
            "Glasgow",
        ),
        "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
        "month": (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
    },
}
"""Names that differ by language, by slot; months in the order of the year."""

PATTERNS: Mapping[str, tuple[str, ...]] = {
    "error": (
        "0x8004####",
        "0x800A####",
        "ERR-####",
        "NX-####",
        "SYS_####",
        "E##",
        "HTTP 502",
        "HTTP 503",
        "HTTP 504",
        "F-##-###",
    ),
    "version": ("#.1#.#", "1#.#.#", "2#.#", "#.#.#-b##", "2025.#"),
    "order": ("A-######", "BE-##-#####", "40########", "ORD-#######"),
    "invoice": ("RE-#######", "RG-20###-##", "INV-######", "R20#####"),
    "customer": ("K-######", "KD######", "C-#######"),
    "contract": ("V-######", "VT-##-#####"),
    "serial": ("SN####-#####", "7K##-####-##", "PX########"),
    "asset": ("NB-0####", "PC-1####", "IT-#####"),
    "tracking": ("00340############", "JX#########DE", "TRK-########"),
    "server": ("srv-app-0#", "srv-db-0#", "srv-file-1#", "ts-2#", "erp-prod-#"),
    "ip": ("10.1#.2#.1##", "192.168.#.2#", "172.16.1#.4#"),
    "ticket": ("#######", "T-######", "INC00#####"),
    "part": ("ET-####-##", "##-4###-7", "P######"),
    "staff": ("1####", "2####", "P-####"),
    "login": ("u1####", "x2####", "ext-0###", "kd4####"),
    "room": ("1.##", "2.##", "3.##", "B1##", "E##"),
    "ext": ("###",),
}
"""Invented numbers by slot; each `#` becomes a random digit."""

RANGES: Mapping[str, tuple[int, int]] = {
    "count": (3, 40),
    "days": (2, 14),
    "minutes": (5, 55),
    "percent": (12, 97),
    "floor": (2, 5),
    "few": (2, 6),
}
"""The least and the greatest whole number by slot."""

WOMEN: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Anna",
        "Birgit",
        "Claudia",
        "Franziska",
        "Gülcan",
        "Heike",
        "Jana",
        "Katrin",
        "Lena",
        "Miriam",
        "Sabine",
        "Ursula",
    ),
    "en": (
        "Alice",
        "Bridget",
        "Chloe",
        "Emily",
        "Fiona",
        "Hannah",
        "Karen",
        "Lucy",
        "Megan",
        "Priya",
        "Sarah",
        "Zoe",
    ),
    "fr": ("Amélie", "Camille", "Sylvie"),
    "es": ("Inés", "Lucía", "Pilar"),
    "pl": ("Agnieszka", "Kasia", "Zofia"),
    "it": ("Chiara", "Giulia", "Silvia"),
    "tr": ("Ayşe", "Elif", "Zeynep"),
}
"""Women's given names by language."""

MEN: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Andreas",
        "Björn",
        "Dieter",
        "Florian",
        "Günter",
        "Jürgen",
        "Kevin",
        "Lukas",
        "Mehmet",
        "Stefan",
        "Thomas",
        "Uwe",
    ),
    "en": (
        "Adam",
        "Brian",
        "Callum",
        "Daniel",
        "George",
        "Imran",
        "Jack",
        "Liam",
        "Oliver",
        "Peter",
        "Simon",
        "Tom",
    ),
    "fr": ("Bastien", "Julien", "Thierry"),
    "es": ("Álvaro", "Diego", "Joaquín"),
    "pl": ("Krzysztof", "Paweł", "Tomasz"),
    "it": ("Davide", "Lorenzo", "Matteo"),
    "tr": ("Emre", "Kerem", "Murat"),
}
"""Men's given names by language."""

SURNAMES: Mapping[str, tuple[str, ...]] = {
    "de": (
        "Achterkamp",
        "Bruckmöller",
        "Dornseif",
        "Eichelkraut",
        "Fassbinner",
        "Grünwaldt",
        "Hülsebrock",
        "Imdorf",
        "Jansky",
        "Kröppelin",
        "Lüttmann",
        "Mertenbach",
        "Nagelschütz",
        "Oberthür",
        "Pfannkuch",
        "Quastenberg",
        "Rößner",
        "Schönlau",
        "Tannhof",
        "Uhlenbrook",
        "Vosskamp",
        "Wiesengrundt",
        "Yildirim-Koch",
        "Zwickelmaier",
    ),
    "en": (
        "Ashdown-Pell",
        "Birchall",
        "Crossthwaite",
        "Dunmorrow",
        "Eastlake",
        "Fenwright",
        "Garlick",
        "Hollinshade",
        "Inglebrook",
        "Jessamy",
        "Kettlewood",
        "Larkspur",
        "Merriweather",
        "Northcliffe",
        "Osgoodby",
        "Pemberly",
        "Quillfeather",
        "Ravenscar",
        "Stallbrook",
        "Thornbury",
        "Underhay",
        "Vexley",
        "Wetherstone",
        "Yarrowby",
    ),
    "fr": ("Beauvalet", "Chantelot", "Dufresnoy", "Marvillac"),
    "es": ("Calderilla", "Monteverdes", "Peñaflor", "Riosalto"),
    "pl": ("Brzozowicz", "Jaworek", "Lipnicki", "Zielonka"),
    "it": ("Bellacorte", "Fontanesi", "Montalbini", "Rivaverde"),
    "tr": ("Akçınar", "Demirova", "Karasu", "Yıldıztepe"),
}
"""Family names by language."""

TAGS: tuple[str, ...] = (
    "after-hours",
    "attachment",
    "callback",
    "eu",
    "first-contact",
    "mobile",
    "partner",
    "pilot",
    "repeat",
)
"""Tags of sources; none of them tells the topic."""

SMALL_AFTER_COMMA = """\
Alle Am An Angeblich Auf Aus Bei Beim Bin Bis Bitte Dafür Danke Das Der Derzeit Die Diese Durch Ein Eine
Entschuldigen Erst Es Für Gestern Gibt Hat Heute Hiermit Ich Im In Ist Jetzt Kurze Könnten Langsam Laut
Leider Mein Meine Mir Mit Nach Obwohl Schon Seit So Sobald Super Unser Unsere Unserer Vielen Von Vor Wann
Was Wegen Welche Wenn Wie Wir Wo Worin Zum Zwischen
"""
"""German words that lose their capital after the comma of a greeting."""
