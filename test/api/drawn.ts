import type { Step } from '#libs/instruction-set/instruction-set.js';

/** Twenty pixels square, with a trait of each type. */
export const SKETCH = `function setup() {
  createCanvas(20, 20);
  $fx.features({ Palette: 'ember', Rings: 3, Loud: true });
  background(fxrand() * 255);
  noLoop();
}`;

/** A script that says how wide, and a sketch. */
export const STEPS: Step[] = [
  {
    id: 'plan', nodeName: 'javascript', alias: 'plan',
    nodePayload: { code: 'console.log(variables.word); return { side: 20 };' },
  },
  {
    id: 'art', nodeName: 'p5', alias: 'art',
    nodePayload: { code: SKETCH, width: { $ref: 'plan', path: 'side' }, height: 20 },
  },
];

export const FAILING: Step[] = [
  { id: 'bad', nodeName: 'javascript', nodePayload: { code: 'throw new Error("no good")' } },
];

/** Body of `POST /workflows`: public, half a credit and a quarter for each generation. */
export const workflow = (name: string, steps: Step[]) => ({
  name,
  type: 'pipeline',
  output_mime_type: 'image/png',
  visibility: 'public',
  tags: ['ink'],
  data: {
    form: { fields: [{ id: 'word', type: 'input', default: 'sand' }] },
    credits: { base: 0.5, per_generation: 0.25 },
    pipeline: { steps },
  },
});
