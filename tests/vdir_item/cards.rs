//! Files as programs in use write them, and some that no program should.

/// Name, and bytes. Each is taken apart into fields.
pub(crate) const CARDS: &[(&str, &[u8])] = &[
    ("apple", APPLE),
    ("google", GOOGLE),
    ("nextcloud", NEXTCLOUD),
    ("outlook", OUTLOOK),
    ("mixed", MIXED),
    ("tabs", TABS),
    ("blank", BLANK),
    ("latin", LATIN),
    ("marked", MARKED),
    ("shouted", SHOUTED),
    ("empty", EMPTY),
    ("several", SEVERAL),
    ("photo", PHOTO),
    ("nested", NESTED),
    ("meeting", MEETING),
    ("series", SERIES),
    ("occurrences", OCCURRENCES),
    ("task", TASK),
    ("journal", JOURNAL),
    ("zone", ZONE),
    ("busy", BUSY),
    ("outlook event", OUTLOOK_EVENT),
];

pub(crate) const APPLE: &[u8] = b"BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iOS 17.2//EN\r
N:Appleseed;John;;;\r
FN:John Appleseed\r
ORG:Ridge Farm;\r
item1.EMAIL;type=INTERNET;type=pref:john@example.com\r
item1.X-ABLabel:_$!<HomePage>!$_\r
TEL;type=CELL;type=VOICE;type=pref:+1 (202) 555-0101\r
TEL;type=HOME;type=VOICE:+1 (202) 555-0102\r
item2.ADR;type=HOME;type=pref:;;4 Harbor Row\\, Apt. 2B;Port Townsend;WA;98368;United States of America\r
item2.X-ABADR:us\r
NOTE:A long note that goes on and on\\, with a comma\\; and a semicolon\\nand a \r
 line break\\, and then some more of it until it has to be folded once again bec\r
 ause it is long.\r
X-SOCIALPROFILE;type=twitter:http://twitter.com/john\r
REV:2024-01-03T10:20:30Z\r
UID:B0E2A3C1-7A0D-4A5E-9C1A-0F6D5C9B7E11\r
END:VCARD\r
";

pub(crate) const GOOGLE: &[u8] = "BEGIN:VCARD\nVERSION:3.0\nFN:Zoë Ångström\nN:Ångström;Zoë;;Dr.;\n\
EMAIL;TYPE=INTERNET;TYPE=HOME:zoe@example.org\nTEL;TYPE=CELL:+46 70 123 45 67\nitem1.URL:https\\://example.org/zoe\n\
item1.X-ABLabel:PROFILE\nitem2.X-ABRELATEDNAMES:Nils\nitem2.X-ABLabel:_$!<Spouse>!$_\nBDAY:19840312\n\
CATEGORIES:myContacts,starred\nEND:VCARD"
    .as_bytes();

/// A fold that cuts characters, as a program does that counts bytes.
pub(crate) const NEXTCLOUD: &[u8] = b"BEGIN:VCARD\r\nVERSION:4.0\r\nPRODID:-//Sabre//Sabre VObject 4.5.4//EN\r\n\
UID:urn:uuid:6f1b2c3d-0001-4000-8000-0123456789ab\r\nFN:\xce\x95\xce\xbb\xce\xad\xce\xbd\xce\xb7\r\n\
NOTE:\xce\x95\xce\xbb\xce\xad\xce\r\n \xbd\xce\xb7 \xce\r\n \xba\xce\xb1\xce\xb9 \r\n  \xe2\x82\r\n \xac\r\n\
ADR;TYPE=home;LABEL=\"1 Odos: Ermou\":;;1 Ermou;Athens;;10563;Greece\r\n\
TEL;VALUE=uri;PREF=1;TYPE=\"voice,home\":tel:+30-210-555-0101\r\nCLOUD:x\r\nREV;VALUE=DATE-AND-OR-TIME:20240102T030405Z\r\n\
X-ADDRESSBOOKSERVER-KIND:individual\r\nEND:VCARD\r\n";

/// vCard 2.1, with soft line breaks, bare parameters, and base64 with a blank line after it.
pub(crate) const OUTLOOK: &[u8] = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252:M\xfcller;J\xfcrgen\r\n\
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen M=C3=BCller\r\nTEL;WORK;VOICE:+49 (30) 555-0101\r\n\
ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE:;;Stra=DFe des 17. Juni 135=0D=0A=\r\nHinterhaus=0D=0A=\r\n\
;Berlin;;10623;Deutschland\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=3Db=\r\n\r\n\
PHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n /9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a\r\n \
HBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2w==\r\n\r\nX-MS-OL-DEFAULT-POSTAL-ADDRESS:2\r\nREV:20240105T120000Z\r\nEND:VCARD\r\n";

pub(crate) const MIXED: &[u8] =
    b"BEGIN:VCARD\r\nVERSION:3.0\nUID:mixed\r\nFN:Mixed\nNOTE:one\r\n two\n three\nTEL:1\r\nEND:VCARD\n";

pub(crate) const TABS: &[u8] = b"BEGIN:VCARD\nVERSION:3.0\nUID:tabs\nFN:Ta\n\tbs\nNOTE:\n \n  \n a\n\t\tb\nEND:VCARD\n";

pub(crate) const BLANK: &[u8] =
    b"\r\n\nBEGIN:VCARD\r\n\r\nVERSION:3.0\r\nUID:blank\r\n\r\n\r\nFN:Blank\r\n\nTEL:1\r\n\r\nEND:VCARD\r\n\r\n\n\n";

pub(crate) const LATIN: &[u8] =
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:latin\r\nFN:Ren\xe9\r\nTEL;X-WHO=\xe9:1\r\nNOTE;TYPE=\xff:\r\nEND:VCARD\r\n";

pub(crate) const MARKED: &[u8] = b"\xef\xbb\xbfBEGIN:VCARD\r\nVERSION:3.0\r\nUID:marked\r\nFN:Marked\r\nEND:VCARD\r\n";

pub(crate) const SHOUTED: &[u8] =
    b"begin:vcard \r\nversion:3.0\r\nuid:shouted\r\nfn:Shouted\r\ntel;type=home:1\r\nTel;Type=Work:2\r\nEnd:vCard\r\n";

pub(crate) const EMPTY: &[u8] =
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:empty\r\nFN:\r\nN:;;;;\r\nTEL;TYPE=home:\r\nTEL;TYPE=work:\r\nADR:;;;;;;\r\nX-A:\r\n\
NOTE:\\n \\n\r\nEND:VCARD\r\n";

/// More than one of what should be there once, and the same twice.
pub(crate) const SEVERAL: &[u8] =
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:several\r\nFN:First\r\nFN;LANGUAGE=de:Erster\r\nFN:Zero\r\n\
N:One;;;;\r\nN:Two;;;;\r\nTEL:1\r\nTEL:2\r\nTEL:1\r\nTEL;TYPE=home:1\r\ntel;type=home:1\r\nEND:VCARD\r\n";

pub(crate) const PHOTO: &[u8] = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:photo\r\nFN:Photo\r\n\
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJ\r\n \
CQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBD\r\n \
AQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy\r\n MjI=\r\nEND:VCARD\r\n";

/// A component that the grammar of vCard does not have any more.
pub(crate) const NESTED: &[u8] =
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nUID:nested\r\nFN:Boss\r\nAGENT:\r\nBEGIN:VCARD\r\nVERSION:2.1\r\n\
FN:Agent\r\n\r\nTEL:2\r\nEND:VCARD\r\nTEL:1\r\nEND:VCARD\r\n";

pub(crate) const MEETING: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN\r\n\
X-WR-CALNAME:Work\r\nBEGIN:VEVENT\r\nCREATED:20240101T100000Z\r\nLAST-MODIFIED:20240101T110000Z\r\n\
DTSTAMP:20240101T110000Z\r\nUID:meeting-1@example.com\r\nSUMMARY:Stand-up\\, short\r\nDTSTART:20240108T090000Z\r\n\
DTEND:20240108T091500Z\r\nSEQUENCE:3\r\nORGANIZER;CN=Ada:mailto:ada@example.com\r\n\
ATTENDEE;CN=\"Ben: the other\";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=TRUE:m\r\n ailto:ben@example.com\r\n\
ATTENDEE;CN=Cho:mailto:cho@example.com\r\nCATEGORIES:Work,Daily\r\nX-MOZ-GENERATION:2\r\n\
BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\n\
BEGIN:VALARM\r\nACTION:AUDIO\r\n\r\nTRIGGER;VALUE=DURATION:-PT1H\r\nX-A:a long line that has to be folded, because it does not fit into seventy\r\n -five\r\n\
BEGIN:X-INNER\r\nA:1\r\nEND:X-INNER\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

pub(crate) const SERIES: &[u8] = b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Nextcloud calendar v4.6.4\nCALSCALE:GREGORIAN\n\
BEGIN:VEVENT\nUID:series-1\nDTSTAMP:20240101T110000Z\nDTSTART;TZID=Europe/Berlin:20240108T090000\n\
DTEND;TZID=Europe/Berlin:20240108T093000\nSUMMARY:Choir\nRRULE:FREQ=WEEKLY;BYDAY=MO\nEXDATE;TZID=Europe/Berlin:20240115T090000\n\
EXDATE;TZID=Europe/Berlin:20240122T090000\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:series-1\nDTSTAMP:20240101T120000Z\nRECURRENCE-ID;TZID=Europe/Berlin:20240129T090000\n\
DTSTART;TZID=Europe/Berlin:20240129T100000\nSUMMARY:Choir (later)\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:series-1\nDTSTAMP:20240101T120000Z\nRECURRENCE-ID:20240205T080000Z\nSUMMARY:Choir (UTC)\nEND:VEVENT\n\
BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nLAST-MODIFIED:20230104T023643Z\nBEGIN:DAYLIGHT\nTZNAME:CEST\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
DTSTART:19700329T020000\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nEND:DAYLIGHT\nBEGIN:STANDARD\nTZNAME:CET\nTZOFFSETFROM:+0200\n\
TZOFFSETTO:+0100\nDTSTART:19701025T030000\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR\n";

/// An invitation to single occurrences: there is no main event.
pub(crate) const OCCURRENCES: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:o\r\n\
RECURRENCE-ID:20240205T080000Z\r\nSUMMARY:One\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:o\r\n\
RECURRENCE-ID;RANGE=THISANDFUTURE:20240212T080000Z\r\nSUMMARY:Two\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

pub(crate) const TASK: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:+//IDN tasks.org//android-130602//EN\r\nBEGIN:VTODO\r\n\
DTSTAMP:20240101T110000Z\r\nUID:task-1\r\nSUMMARY:Water the plants\r\nDUE;VALUE=DATE:20240301\r\nPRIORITY:9\r\nSTATUS:NEEDS-ACTION\r\n\
PERCENT-COMPLETE:0\r\nRELATED-TO:parent\r\nX-APPLE-SORT-ORDER:700000000\r\nEND:VTODO\r\nEND:VCALENDAR";

pub(crate) const JOURNAL: &[u8] =
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:j\r\nDTSTAMP:20240101T110000Z\r\n\
SUMMARY:Log\r\nDESCRIPTION:one\r\nDESCRIPTION:two\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";

pub(crate) const ZONE: &[u8] = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:(UTC+01:00) Amsterdam, Berlin, Bern\r\n\
BEGIN:STANDARD\r\nDTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n";

pub(crate) const BUSY: &[u8] =
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VFREEBUSY\r\nUID:busy\r\nDTSTAMP:20240101T110000Z\r\n\
FREEBUSY:19970308T160000Z/PT3H\r\nEND:VFREEBUSY\r\nBEGIN:X-NEW\r\nA;B=\"c:d\":e\r\nEND:X-NEW\r\nEND:VCALENDAR\r\n";

pub(crate) const OUTLOOK_EVENT: &[u8] = b"BEGIN:VCALENDAR\r\nPRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN\r\nVERSION:2.0\r\n\
METHOD:PUBLISH\r\nX-MS-OLK-FORCEINSPECTOROPEN:TRUE\r\nBEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n\
DTSTART:16011028T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
BEGIN:VEVENT\r\nCLASS:PUBLIC\r\nDESCRIPTION:\\n\r\nDTSTART;TZID=\"W. Europe Standard Time\":20240108T090000\r\nSUMMARY;LANGUAGE=de:Termin\r\n\
UID:040000008200E00074C5B7101A82E008\r\nX-ALT-DESC;FMTTYPE=text/html:<!DOCTYPE HTML>\\n<HTML>\\n<BODY>\\n\r\n\t</BODY>\\n</HTML>\r\n\
X-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

/// Complete items of a shape that is kept whole.
pub(crate) const WHOLE: &[(&str, &[u8])] = &[
    ("no property", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\ngarbage\r\nEND:VCARD\r\n"),
    ("lone return", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\rY\r\nEND:VCARD\r\n"),
    ("double return", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\r\nEND:VCARD\r\n"),
    ("indented after blank", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\n\r\n TEL:1\r\nEND:VCARD\r\n"),
    ("loose base64", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\nPHOTO;ENCODING=b:AAAA\r\nBBBB\r\nEND:VCARD\r\n"),
    ("soft break left over", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nEND:VCARD\r\n"),
    ("strange name", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\nX FOO:1\r\nEND:VCARD\r\n"),
    ("no name", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\n:1\r\nEND:VCARD\r\n"),
    ("folded edge", b"BEGIN:VCARD\r\nUID:x\r\nFN:X\r\nBEG\r\n IN:X\r\nEN\r\n D:X\r\nEND:VCARD\r\n"),
    ("two mains", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nSUMMARY:X\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x\r\nSUMMARY:Y\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    ("one occurrence twice", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nRECURRENCE-ID:1\r\nSUMMARY:X\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x\r\nRECURRENCE-ID:1\r\nSUMMARY:Y\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    ("misleading name", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nSUMMARY:X\r\nVCALENDAR:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
    ("nothing in the event", b"BEGIN:VCALENDAR\r\nUID:x\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
];
