import { parentPort } from 'node:worker_threads';
import PDFDocument from 'pdfkit';
import type { Receipt } from './receipt.ts';

/** Runs in a thread of its own: drawing a PDF would hold up the event loop, and with it heartbeats and probes. */
parentPort!.on('message', (receipt: Receipt) => {
  const chunks: Buffer[] = [];
  const document = draw(receipt);
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  document.on('end', () => parentPort!.postMessage(new Uint8Array(Buffer.concat(chunks))));
  document.end();
});
parentPort!.postMessage('ready');

const LEFT = 56;
const RIGHT = 539;
const COLUMNS = [
  { x: LEFT, width: 240, align: 'left' },
  { x: 300, width: 49, align: 'right' },
  { x: 353, width: 91, align: 'right' },
  { x: 448, width: 91, align: 'right' },
] as const;

type Document = InstanceType<typeof PDFDocument>;

function draw({ orderId, paidAt, date, lines, total }: Receipt): Document {
  const document = new PDFDocument({
    size: 'A4',
    margins: { top: LEFT, bottom: LEFT, left: LEFT, right: LEFT },
    lang: 'en',
    // pdfkit derives the document's id from `info`: with a date of today every rendering would differ.
    info: { Title: `Receipt for order ${orderId}`, Author: 'Cairn', CreationDate: new Date(paidAt) },
  });
  document.font('Helvetica-Bold').fontSize(22).text('Receipt');
  document.font('Helvetica').fontSize(10).text(`Order ${orderId}`).text(`Paid on ${date}`).moveDown(2);
  row(document, ['Item', 'Quantity', 'Price', 'Amount'], 'Helvetica-Bold');
  for (const { name, quantity, unitPrice, amount } of lines)
    row(document, [name, quantity, unitPrice, amount], 'Helvetica');
  rule(document);
  row(document, ['Total', '', '', total], 'Helvetica-Bold');
  return document;
}

/** One line of the table, as high as its highest cell, on a new page when this one is full. */
function row(document: Document, cells: [string, string, string, string], font: string): void {
  document.font(font).fontSize(10);
  const height = Math.max(
    ...cells.map((cell, i) => document.heightOfString(cell, { width: COLUMNS[i]!.width })),
  );
  if (document.y + height > document.page.maxY()) document.addPage();
  const { y } = document;
  cells.forEach((cell, i) => {
    const { x, width, align } = COLUMNS[i]!;
    document.text(cell, x, y, { width, align });
  });
  document.x = LEFT;
  document.y = y + height + 6;
}

function rule(document: Document): void {
  document.moveTo(LEFT, document.y).lineTo(RIGHT, document.y).lineWidth(0.5).stroke();
  document.y += 6;
}
