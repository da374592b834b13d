/** What a terminal sees first. */

const [ring, word, plain] = ['\x1b[38;5;4m', '\x1b[38;5;8m', '\x1b[0m'];

/** A ring of eight lines, as the manual has it, between two that reset the colours. */
export const banner: string = [
  plain,
  `${ring}     ▄▄▄████▄▄▄`,
  `${ring}   ▄██▀▀    ▀▀██▄`,
  `${ring}  ██▀  ▄▄██▄▄  ▀██`,
  `${ring} ██   ██▀  ▀██   ██   ${word}o u r o`,
  `${ring} ██   ██▄  ▄██   ██   ${word}b o r o s`,
  `${ring}  ██▄  ▀▀██▀▀  ▄██`,
  `${ring}   ▀██▄▄    ▄▄██▀`,
  `${ring}     ▀▀▀████▀▀▀`,
  plain,
  '',
].join('\n');
