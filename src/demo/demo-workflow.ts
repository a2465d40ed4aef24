import { readFileSync } from 'node:fs';

/** The example that the demo runs. */
const SKETCH = 'tidal-garden';
const TITLE = 'Tidal Garden';
const SIZE = { width: 1024, height: 1024 };

const sketches = new URL('../../../examples/sketches/', import.meta.url);

export const title = TITLE;

/** Body of `POST /workflows`: a pipeline of one p5.js step, at a price. */
export function demoWorkflow() {
  return {
    name: `demo-${SKETCH}`,
    label: TITLE,
    type: 'pipeline',
    output_mime_type: 'image/png',
    data: {
      form: { main: [], advanced: [] },
      credits: { base: 0.5, per_generation: 0.25 },
      pipeline: {
        version: 'v2',
        steps: [{ id: 1, nodeName: 'p5', alias: 'art', nodePayload: { code: sketchCode(), ...SIZE } }],
      },
    },
  };
}

function sketchCode(): string {
  return readFileSync(new URL(`${SKETCH}.js`, sketches), 'utf8');
}
