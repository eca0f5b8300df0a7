/** Events of our own for the tests of this folder and of the network: several types, with what a detail may hold. */

const TIMES =
  'time="2026-03-14T09:26:53.589Z" start="2026-03-14T09:26:53.589Z" stale="2026-03-14T09:31:53.589Z"';

export const TIME_MS = Date.UTC(2026, 2, 14, 9, 26, 53, 589);

/** A ground unit with all six typed elements, and one that stays XML. */
export const UNIT =
  `<event version="2.0" uid="UNIT-7" type="a-f-G-U-C" ${TIMES} how="m-g">` +
  '<point lat="52.0907" lon="5.1214" hae="12.5" ce="4.2" le="9999999.0"/><detail>' +
  '<contact endpoint="*:-1:stcp" callsign="HERON"/><__group name="Cyan" role="Team Member"/>' +
  '<precisionlocation geopointsrc="GPS" altsrc="DTED0"/><status battery="87"/>' +
  '<takv device="BOX" platform="REMORA" os="1" version="0.1"/><track speed="1.25" course="271.5"/>' +
  '<uid Droid="HERON"/></detail></event>';

/** The same entity without a detail. */
export const BARE =
  `<event version="2.0" uid="BARE-1" type="a-h-A-M-F" ${TIMES} how="m-r">` +
  '<point lat="-33.5" lon="179.999" hae="9999999.0" ce="9999999.0" le="9999999.0"></point></event>';

/** Unknown elements, a comment, a CDATA section, characters of one to four bytes, references. */
export const RICH =
  `<event version='2.0' uid='note &amp; more' type='b-m-p-s-m' ${TIMES} how='h-g-i-g-o'>\n` +
  "  <point lat='1e1' lon='-0.000001' hae='0' ce='0' le='0'/>\n" +
  "  <detail>\n    <!-- who's <there> -->\n    <contact callsign='Žluťoučký 𝕶ůň &#x26; &lt;co&gt;'/>\n" +
  "    <remarks source='x'>a <![CDATA[<b> & ]] ]>]]> c &quot;d&quot; ]] e</remarks>\n" +
  "    <čáp jméno='é'/><?style none?><usericon iconsetpath=\"it's/icon.png\"/>\n  </detail>\n</event>";

/** Elements of the six that must not move, each for another reason. */
export const UNMOVED =
  `<event version="2.0" uid="UNMOVED-1" type="a-n-S" access="Undefined" qos="1-r-c" opex="e" ${TIMES} how="m-g">` +
  '<point lat="0" lon="0" hae="1" ce="2" le="3"/><detail>' +
  '<contact callsign="A" phone="1"/><__group name="Red"/><status battery="-5"/><track speed="fast" course="1"/>' +
  '<takv device="a" platform="b" os="c" version="d">text</takv>' +
  '<precisionlocation geopointsrc="a" altsrc="b"/><precisionlocation geopointsrc="c" altsrc="d"/></detail></event>';

export const EVENTS: Readonly<Record<string, string>> = { UNIT, BARE, RICH, UNMOVED };

/** An event of a given size in bytes, or a little more. */
export function eventOfSize(sizeBytes: number, uid = "LARGE-1"): string {
  const remarks = "x".repeat(Math.max(0, sizeBytes - 300));
  return (
    `<event version="2.0" uid="${uid}" type="a-f-G" ${TIMES} how="m-g">` +
    `<point lat="1" lon="2" hae="0" ce="0" le="0"/><detail><remarks>${remarks}</remarks></detail></event>`
  );
}

/** A TakMessage as a message of a stream. */
export function framed(message: Uint8Array): Buffer {
  const header = [0xbf];
  let left = message.length;
  for (; left >= 0x80; left >>>= 7) header.push((left & 0x7f) | 0x80);
  header.push(left);
  return Buffer.concat([Buffer.from(header), message]);
}
