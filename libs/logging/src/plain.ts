import { errorFields } from './error-fields.ts';
import { REDACTED } from './patterns.ts';

/** How much of a value is kept. */
export type Limits = {
  /** Levels of objects and arrays. */
  depth: number;
  /** Entries of one object or array. */
  entries: number;
  /** Characters of one text. */
  text: number;
  /** Characters of all texts and names together. */
  total: number;
};

export type Name = { shown: string; hidden: boolean };

export type Rules = {
  text(text: string): string;
  /** How a field's name is written, and whether its value is hidden. */
  name(name: string): Name;
  limits: Limits;
};

export const UNLIMITED: Limits = { depth: 64, entries: Infinity, text: Infinity, total: Infinity };

/**
 * Anything as plain data: JSON can write it, it is no larger than the limits, and no secret is in it. Never throws,
 * whatever getters, proxies and `toJSON` do.
 */
export function plain(value: unknown, rules: Rules): unknown {
  return new Walk(rules).value(value);
}

export class Walk {
  readonly #rules: Rules;
  readonly #path: object[] = [];
  #left: number;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#left = rules.limits.total;
  }

  value(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return this.#number(value);
      case 'bigint':
        return this.text(String(value));
      case 'object':
        return value === null ? null : this.#guarded(value);
      case 'boolean':
        return value;
      default:
        return undefined;
    }
  }

  text(text: string): string {
    const { limits } = this.#rules;
    const most = Math.min(limits.text, Math.max(this.#left, 0));
    // Looked at a little further than kept, or a secret that the cut goes through would pass.
    const seen = this.#rules.text(text.length > most ? text.slice(0, most + 256) : text);
    const kept = text.length > most ? `${seen.slice(0, most)}…[${text.length} characters]` : seen;
    this.#left -= kept.length;
    return kept;
  }

  #number(value: number): unknown {
    if (!Number.isFinite(value)) return String(value);
    // A card number that someone took for a number; smaller ones are none.
    if (value < 1e12 || !Number.isSafeInteger(value)) return value;
    const text = String(value);
    return this.#rules.text(text) === text ? value : REDACTED;
  }

  #guarded(value: object): unknown {
    if (this.#path.includes(value)) return '[Circular]';
    if (this.#path.length >= this.#rules.limits.depth) return `[${nameOf(value)}]`;
    this.#path.push(value);
    try {
      return this.#object(value);
    } catch (error) {
      return `[Throws: ${this.text(messageOf(error))}]`;
    } finally {
      this.#path.pop();
    }
  }

  #object(value: object): unknown {
    if (value instanceof Error) return errorFields(value, this);
    if (Array.isArray(value) || value instanceof Set) return this.#list(value);
    if (value instanceof Map) return this.fields(value.keys(), (key) => value.get(key) as unknown);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
      return `[${nameOf(value)}, ${value.byteLength} bytes]`;
    const { toJSON, forEach, on } = value as Record<'toJSON' | 'forEach' | 'on', unknown>;
    if (typeof toJSON === 'function') return this.value(toJSON.call(value, ''));
    // Requests, sockets, clients: their fields are half of the process.
    if (typeof on === 'function') return `[${nameOf(value)}]`;
    // Headers, URLSearchParams, FormData.
    if (typeof forEach === 'function' && Symbol.iterator in value) {
      const entries = new Map(value as Iterable<[unknown, unknown]>);
      return this.fields(entries.keys(), (key) => entries.get(key));
    }
    const names = Object.keys(value);
    const { constructor } = value;
    if (names.length === 0 && typeof constructor === 'function' && constructor !== Object)
      return `[${constructor.name}]`;
    return this.fields(names, (name) => (value as Record<string, unknown>)[name as string]);
  }

  #list(values: unknown[] | Set<unknown>): unknown[] {
    const list: unknown[] = [];
    let conceals = false;
    for (const value of values) {
      if (list.length >= this.#rules.limits.entries || this.#left <= 0) {
        list.push(`…[${'size' in values ? values.size : values.length} entries]`);
        break;
      }
      const item = conceals ? concealed(value) : this.value(value);
      // ['Host', 'x', 'Authorization', '…'], as Node gives headers, and pairs of a name and a value.
      conceals = list.length % 2 === 0 && typeof value === 'string' && this.#rules.name(value).hidden;
      list.push(item ?? null);
    }
    return list;
  }

  /** The entries of an object, by name. */
  fields(names: Iterable<unknown>, read: (name: unknown) => unknown): Record<string, unknown> {
    return this.into({}, names, read);
  }

  /** Adds fields. They are read one by one, so that a getter that throws costs only itself. */
  into<T extends Record<string, unknown>>(
    fields: T,
    names: Iterable<unknown>,
    read: (name: unknown) => unknown,
    taken?: ReadonlySet<string>,
  ): T {
    let count = 0;
    let subject: string | undefined;
    for (const key of names) {
      if (++count > this.#rules.limits.entries || this.#left <= 0) {
        (fields as Record<string, unknown>)['…'] = 'more entries';
        break;
      }
      const name = String(key);
      const value = this.#read(key, read);
      // { name: 'authorization', value: '…' }
      if ((name === 'name' || name === 'key') && typeof value === 'string') subject = value;
      const hidden = this.#rules.name(name === 'value' && subject !== undefined ? subject : name).hidden;
      const item = hidden ? concealed(value) : this.value(value);
      if (item === undefined) continue;
      const { shown } = this.#rules.name(name);
      set(fields, taken?.has(shown) ? `${shown}_` : shown, item);
    }
    return fields;
  }

  #read(name: unknown, read: (name: unknown) => unknown): unknown {
    try {
      return read(name);
    } catch (error) {
      return `[Throws: ${messageOf(error)}]`;
    }
  }
}

/** Instead of the value of a hidden field. `true`, `false` and nothing at all are no secrets. */
function concealed(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  return value === undefined || typeof value === 'function' ? undefined : REDACTED;
}

function set(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(fields, name, { value, enumerable: true });
  else fields[name] = value;
}

function nameOf(value: object): string {
  try {
    const { constructor } = value;
    return (typeof constructor === 'function' && constructor.name) || 'Object';
  } catch {
    return 'Object';
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'something that is no text';
  }
}
