// A reader of XML that forgives nothing: enough to show that a document is well-formed, and what is in it.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const NAME = "[A-Za-z_][\\w.-]*";
const TOKEN = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|([^<]+)`, "y");
const ATTRIBUTE = new RegExp(`(${NAME})="([^"]*)"`, "g");
const SIGNS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 forbids
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Throws for what is not well-formed. */
export function parseXml(text: string): Element {
  if (FORBIDDEN.test(text) || /\p{Cs}/u.test(text)) throw new Error("a character that XML has not");
  const head = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(text)?.[0];
  if (head === undefined) throw new Error("no declaration");
  const top: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  TOKEN.lastIndex = head.length;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text);
    if (token === null) throw new Error(`no markup at ${at}: ${text.slice(at, at + 40)}`);
    take(token, open);
  }
  const [root] = top.children;
  if (open.length !== 1 || root === undefined || top.children.length !== 1 || top.text.trim() !== "")
    throw new Error("not one element that is closed");
  return root;
}

function take(
  [, isEnd, name = "", attributes = "", isEmpty, content]: RegExpExecArray,
  open: Element[],
): void {
  const here = open.at(-1) as Element;
  if (content !== undefined) {
    here.text += plain(content.replace(/\r\n?/g, "\n"));
    return;
  }
  if (isEnd) {
    if (open.pop()?.name !== name) throw new Error(`</${name}> closes nothing`);
    return;
  }
  const all = [...attributes.matchAll(ATTRIBUTE)].map(
    ([, key = "", value = ""]) => [key, plain(value.replace(/[\n\r\t]/g, " "))] as const,
  );
  if (new Set(all.map(([key]) => key)).size !== all.length) throw new Error(`${name} has an attribute twice`);
  const element = { name, attributes: Object.fromEntries(all), children: [], text: "" };
  here.children.push(element);
  if (!isEmpty) open.push(element);
}

function plain(text: string): string {
  return text.replace(/&([^;]*);|&/g, (whole, name: string | undefined) => {
    const code = /^#(\d+)$/.exec(name ?? "")?.[1];
    const sign = code === undefined ? SIGNS[name ?? ""] : String.fromCodePoint(Number(code));
    if (sign === undefined) throw new Error(`${whole} is no reference`);
    return sign;
  });
}

/** All elements of a name, in order. */
export function elements(root: Element, name: string): Element[] {
  return [root, ...root.children.flatMap((child) => elements(child, ""))].filter(
    (each) => name === "" || each.name === name,
  );
}
