/** A bar on a terminal; a line every tenth of the way elsewhere. */
export function progressBar(total: number, out: NodeJS.WriteStream = process.stdout) {
  const began = Date.now();
  let tenth = 0;
  const text = (done: number) => {
    const filled = Math.round((done / total) * 30);
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    return `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${done}/${total} (${seconds} s)`;
  };
  return {
    advance(done: number): void {
      if (out.isTTY) return void out.write(`\r${text(done)}`);
      const now = Math.floor((done / total) * 10);
      if (now > tenth) out.write(`${text(done)}\n`);
      tenth = now;
    },
    end(): void {
      if (out.isTTY) out.write('\n');
    },
  };
}
