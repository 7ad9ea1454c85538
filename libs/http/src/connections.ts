import type { Server, Socket } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

/** A turn without a new connection would do; a busy machine gets two more. */
const QUIET_TURNS = 3;
/** How long a new connection may take to say its first word, in ms. */
const FIRST_WORD_MS = 1000;

export type Connections = {
  /**
   * To be awaited right before the server is closed: accepts what waits, and lets go of what says nothing. Resolves
   * within about a second, or as soon as there is neither.
   */
  settle(): Promise<void>;
};

/**
 * Two kinds of connections that `server.close()` handles badly:
 *
 * - Those that callers have opened and the process has not accepted yet are reset, with the requests that were sent
 *   on them. libuv accepts one per turn of the event loop (libuv/libuv#3696), so a process that is short of CPU, and
 *   asks for a new connection after every reply because it drains, leaves many.
 * - Those that never sent a byte (opened in advance, or to probe the port) are not idle in Node's eyes, and have no
 *   time-out once the server closes: they hold it open for ever.
 */
export function watchConnections(server: Server): Connections {
  const since = new Map<Socket, number>();
  let count = 0;
  const watch = (socket: Socket) => {
    count++;
    since.set(socket, performance.now());
    socket.once('close', () => since.delete(socket));
  };
  server.on('connection', watch);
  // Of TLS: the socket below has the bytes of the handshake, this one those of requests.
  server.on('secureConnection', watch);
  const silent = () => [...since].filter(([socket]) => socket.bytesRead === 0 && !socket.destroyed);
  return {
    async settle() {
      for (let quiet = 0, seen = count; quiet < QUIET_TURNS; quiet++) {
        await turn();
        if (count === seen) continue;
        seen = count;
        quiet = -1;
      }
      while (silent().length > 0) {
        for (const [socket, at] of silent()) if (performance.now() - at >= FIRST_WORD_MS) socket.destroy();
        if (silent().length > 0) await delay(20);
      }
    },
  };
}
