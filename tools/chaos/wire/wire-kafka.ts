import { Messages, type Wire, type WireAnswer, type WireRequest } from './wire.ts';

const APIS: Record<number, string> = { 0: 'Produce', 1: 'Fetch', 8: 'OffsetCommit', 11: 'JoinGroup' };

const frames = () => new Messages((bytes) => (bytes.length < 4 ? undefined : 4 + bytes.readInt32BE(0)));

/**
 * Kafka's protocol (https://kafka.apache.org/protocol): frames with a length, requests with API, version, correlation id and
 * client id. Produce names its topics, `Produce orders`; OffsetCommit its group, `OffsetCommit payments`; of others only
 * the API is told. Reads the versions that have no tagged fields, which are those that kafkajs speaks.
 */
export class KafkaWire implements Wire {
  readonly #requests = frames();
  readonly #answers = frames();
  readonly #waiting = new Map<number, WireRequest>();

  request(chunk: Buffer): WireRequest[] {
    return [...this.#requests.take(chunk)].map((frame) => {
      const read = new Reader(frame, 4);
      const [api, version, correlationId] = [read.int16(), read.int16(), read.int32()];
      read.text(); // client id
      const name = APIS[api] ?? `API ${api}`;
      const request = { what: [name, ...subjectOf(name, version, read)].join(' '), within: [] };
      this.#waiting.set(correlationId, request);
      return request;
    });
  }

  response(chunk: Buffer): WireAnswer[] {
    return [...this.#answers.take(chunk)].flatMap((frame) => {
      const correlationId = frame.readInt32BE(4);
      const request = this.#waiting.get(correlationId);
      this.#waiting.delete(correlationId);
      return request ? [{ request, ok: true, rows: 0 }] : [];
    });
  }
}

function subjectOf(api: string, version: number, read: Reader): string[] {
  if (api === 'OffsetCommit') return [read.text()];
  if (api !== 'Produce') return [];
  if (version >= 3) read.text(); // transactional id
  read.skip(2 + 4); // acks, time-out
  return read.list(() => {
    const topic = read.text();
    read.list(() => {
      read.skip(4); // partition
      read.skip(read.int32()); // records
      return '';
    });
    return topic;
  });
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2);
  }

  int32(): number {
    return this.#bytes.readInt32BE((this.#at += 4) - 4);
  }

  skip(bytes: number): void {
    this.#at += Math.max(0, bytes);
  }

  /** '' for null. */
  text(): string {
    const length = this.int16();
    this.skip(length);
    return length <= 0 ? '' : this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }
}
