/** An expression as it is written: not yet checked against any column. */
export type Syntax =
  | { form: 'column'; name: string }
  | { form: 'literal'; value: string | number | boolean | null; text: string }
  | { form: 'call'; name: string; parts: Syntax[] };

/** What is wrong with an expression's text, in words that can follow a place. */
export class WrongSyntax extends Error {}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([-+*/(),]))/uy;

type Token = { kind: 'number' | 'name' | 'text' | 'quoted' | 'sign'; text: string };

/** Parses `concat(first_name, ' ', upper("Last Name"))`, `net * 1.19`: names, 'texts', numbers, calls, + - * / and parentheses. */
export function parseExpression(text: string): Syntax {
  const parser = new Parser(tokensOf(text));
  const syntax = parser.sum();
  const rest = parser.peek();
  if (rest) throw new WrongSyntax(`"${rest.text}" is not expected there`);
  return syntax;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < trimmed.length;) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(trimmed);
    if (!match) throw new WrongSyntax(`"${trimmed.slice(at, at + 20).trim()}" is not understood`);
    const [, number, name, quotedText, quotedName, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (quotedText !== undefined) tokens.push({ kind: 'text', text: quotedText.replaceAll("''", "'") });
    else if (quotedName !== undefined) tokens.push({ kind: 'quoted', text: quotedName.replaceAll('""', '"') });
    else tokens.push({ kind: 'sign', text: sign ?? '' });
  }
  return tokens;
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  sum(): Syntax {
    return this.#leftToRight(['+', '-'], () => this.#product());
  }

  #product(): Syntax {
    return this.#leftToRight(['*', '/'], () => this.#value());
  }

  #leftToRight(signs: string[], next: () => Syntax): Syntax {
    let left = next();
    for (;;) {
      const token = this.peek();
      if (token?.kind !== 'sign' || !signs.includes(token.text)) return left;
      this.#at++;
      left = { form: 'call', name: token.text, parts: [left, next()] };
    }
  }

  #value(): Syntax {
    const token = this.#tokens[this.#at++];
    if (!token) throw new WrongSyntax('something is missing at the end');
    switch (token.kind) {
      case 'number':
        return { form: 'literal', value: Number(token.text), text: token.text };
      case 'text':
        return { form: 'literal', value: token.text, text: token.text };
      case 'quoted':
        return { form: 'column', name: token.text };
      case 'name':
        return this.#named(token.text);
      case 'sign':
        return this.#signed(token.text);
      default:
        return token.kind satisfies never;
    }
  }

  #named(name: string): Syntax {
    if (this.#takes('(')) return { form: 'call', name: name.toLowerCase(), parts: this.#parts() };
    if (name === 'null') return { form: 'literal', value: null, text: name };
    if (name === 'true' || name === 'false') return { form: 'literal', value: name === 'true', text: name };
    return { form: 'column', name };
  }

  #signed(sign: string): Syntax {
    if (sign === '(') {
      const inner = this.sum();
      this.#must(')');
      return inner;
    }
    const next = this.peek();
    if (sign !== '-' || next?.kind !== 'number') throw new WrongSyntax(`"${sign}" is not expected there`);
    this.#at++;
    return { form: 'literal', value: -Number(next.text), text: `-${next.text}` };
  }

  #parts(): Syntax[] {
    if (this.#takes(')')) return [];
    const parts = [this.sum()];
    while (this.#takes(',')) parts.push(this.sum());
    this.#must(')');
    return parts;
  }

  #takes(sign: string): boolean {
    const token = this.peek();
    const isThere = token?.kind === 'sign' && token.text === sign;
    if (isThere) this.#at++;
    return isThere;
  }

  #must(sign: string): void {
    if (!this.#takes(sign)) throw new WrongSyntax(`"${sign}" is missing`);
  }
}
