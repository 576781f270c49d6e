// Reads a JSON list of diagrams and writes what Mermaid understands of each: the
// participants and the steps, or an error.
import mermaid from "mermaid";
import { text } from "node:stream/consumers";

async function understand(diagram) {
  try {
    await mermaid.parse(diagram);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(diagram);
    const actors = [...db.getActors().values()].map((a) => ({ id: a.name, label: a.description }));
    const steps = db.getMessages().filter((m) => m.to !== undefined).map((m) => ({ from: m.from, to: m.to, label: m.message }));
    return { actors, steps };
  } catch (e) {
    return { error: String(e.message ?? e) };
  }
}

const understood = [];
for (const diagram of JSON.parse(await text(process.stdin))) {
  understood.push(await understand(diagram));
}
console.log(JSON.stringify(understood));
