// A parser and a printer of JSON.

export abstract class Json {
  abstract print(): string;
}

class Nothing extends Json {
  print(): string {
    return "null";
  }
}

class Truth extends Json {
  constructor(public value: bool) {
    super();
  }
  print(): string {
    return this.value ? "true" : "false";
  }
}

class Quantity extends Json {
  constructor(public value: f64) {
    super();
  }
  print(): string {
    return this.value.toString();
  }
}

class Text extends Json {
  constructor(public value: string) {
    super();
  }
  print(): string {
    return quoted(this.value);
  }
}

class Sequence extends Json {
  items: Json[] = [];
  print(): string {
    return "[" + this.items.map<string>((item) => item.print()).join(",") + "]";
  }
}

class Entries extends Json {
  items: Map<string, Json> = new Map();
  print(): string {
    const keys = this.items.keys().sort();
    const parts: string[] = [];
    for (let index = 0; index < keys.length; index++) {
      parts.push(quoted(keys[index]) + ":" + this.items.get(keys[index]).print());
    }
    return "{" + parts.join(",") + "}";
  }
}

export function parseJson(text: string): Json {
  return new Parser(text).value();
}

export function printJson(value: Json): string {
  return value.print();
}

function quoted(text: string): string {
  return '"' + text.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + '"';
}

class Parser {
  at: i32 = 0;
  constructor(public text: string) {}

  value(): Json {
    const unit = this.peek();
    if (unit == 0x7b) return this.entries();
    if (unit == 0x5b) return this.sequence();
    if (unit == 0x22) return new Text(this.quoted());
    if (unit == 0x74) return this.word("true", new Truth(true));
    if (unit == 0x66) return this.word("false", new Truth(false));
    if (unit == 0x6e) return this.word("null", new Nothing());
    return this.quantity();
  }

  entries(): Json {
    const entries = new Entries();
    this.at++;
    while (this.peek() != 0x7d) {
      const key = this.quoted();
      assert(this.peek() == 0x3a, "expected a colon");
      this.at++;
      entries.items.set(key, this.value());
      if (this.peek() == 0x2c) this.at++;
    }
    this.at++;
    return entries;
  }

  sequence(): Json {
    const sequence = new Sequence();
    this.at++;
    while (this.peek() != 0x5d) {
      sequence.items.push(this.value());
      if (this.peek() == 0x2c) this.at++;
    }
    this.at++;
    return sequence;
  }

  quoted(): string {
    assert(this.peek() == 0x22, "expected a quote");
    let out = "";
    for (this.at++; this.text.charCodeAt(this.at) != 0x22; this.at++) {
      if (this.text.charCodeAt(this.at) != 0x5c) {
        out += this.text.charAt(this.at);
        continue;
      }
      const escape = this.text.charAt(++this.at);
      if (escape == "n") out += "\n";
      else if (escape == "t") out += "\t";
      else if (escape == "u") {
        out += String.fromCharCode(I32.parseInt(this.text.substr(this.at + 1, 4), 16));
        this.at += 4;
      } else out += escape;
    }
    this.at++;
    return out;
  }

  quantity(): Json {
    const start = this.at;
    while (this.at < this.text.length && "+-.eE0123456789".includes(this.text.charAt(this.at))) this.at++;
    assert(this.at > start, "expected a number");
    return new Quantity(F64.parseFloat(this.text.substring(start, this.at)));
  }

  word(word: string, value: Json): Json {
    assert(this.text.substr(this.at, word.length) == word, "unknown word");
    this.at += word.length;
    return value;
  }

  peek(): i32 {
    while (this.at < this.text.length && this.text.charCodeAt(this.at) <= 0x20) this.at++;
    assert(this.at < this.text.length, "the text ended");
    return this.text.charCodeAt(this.at);
  }
}
