/** Sixteen bytes a line, as bufferlist::hexdump prints them; the last line is the length. */
export function hexDump(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.subarray(at, at + 16);
    let hex = '';
    let printable = '';
    for (let i = 0; i < 16; i++) {
      const byte = line[i];
      if (i === 8) hex += ' ';
      hex += byte === undefined ? '   ' : ` ${byte.toString(16).padStart(2, '0')}`;
      if (byte !== undefined) printable += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    text += `${offset(at)} ${hex}  |${printable}|\n`;
  }
  return `${text}${offset(bytes.length)}\n`;
}

function offset(value: number): string {
  return value.toString(16).padStart(8, '0');
}
