/** The first block of code in that language on a page of Markdown. */
export function blockOf(page: string, language: string): string {
  return new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1] ?? '';
}

/** Whether the output is what the README shows; `…` there stands for what differs from run to run. */
export function shows(expected: string, output: string): boolean {
  const parts = expected.trim().split('…');
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^\\n]*');
  return new RegExp(`^${pattern}$`).test(output.trim());
}
