import type { Graph } from '#libs/comfyui/graph.js';
import type { InputMapping } from '#libs/comfyui/input-mapping.js';
import { failingGraph, halfGraph, imageGraph, node, shownBy } from '../../../test/factories/comfy-graphs.js';
import { ComfyRoad } from '../../../test/factories/comfy-road.js';
import { jobEnds } from '../../../test/factories/reads.js';

describe('a graph that cannot be fails for good, in words that help', () => {
  let comfy: ComfyRoad;
  beforeAll(async () => (comfy = await ComfyRoad.start()));
  afterAll(() => comfy.close());


  const failure = async (graph: Graph, more: object = {}) => {
    const { jobId } = await comfy.submit(graph, more);
    await jobEnds(comfy.road.database, jobId, 'failed');
    expect(await comfy.stepOf(jobId)).toMatchObject({ attempt: 1, status: 'failed' });
    return (await comfy.stepOf(jobId)).error;
  };
  const inputs: InputMapping = { 1: { width: { value: 'picture_width' } } };

  it('with the field of the form behind an input that was refused', async () => {
    const graph = shownBy('SaveImage', { filename_prefix: 'x' });
    graph[1]!.inputs['width'] = 0;
    expect(await failure(graph, { inputs })).toEqual({
      code: 'VALIDATION_ERROR',
      message: 'picture_width: Value 0 smaller than min of 1',
      details: [{ field: 'picture_width', message: 'Value 0 smaller than min of 1' }],
    });
  });

  it('with the place in the graph, where no field is behind it; and half a graph is refused as a whole', async () => {
    const { code, ...more } = (await failure(halfGraph())) as { code: string; details?: Array<{ field: string }> };
    expect(code).toBe('VALIDATION_ERROR');
    expect(more.details?.map(({ field }) => field)).toEqual(['workflow.3.inputs.images', 'workflow.3.inputs.filename_prefix']);
  });

  it("with nothing of the graph's values and titles, nor of the server's models, beside the form's fields", async () => {
    const graph = shownBy('SaveImage', { filename_prefix: 'x' });
    graph[1] = { ...node('CheckpointLoaderSimple', { ckpt_name: 'private.safetensors' }), _meta: { title: 'private' } };
    const refused = { field: 'workflow.1.inputs.ckpt_name', message: 'is refused by the ComfyUI server' };
    expect(await failure(graph)).toMatchObject({ code: 'VALIDATION_ERROR', details: expect.arrayContaining([refused]) });
    expect(JSON.stringify(await failure(graph))).not.toMatch(/private|sd15|sdxl/);
    expect(await failure({ 1: node('EmptyImage') })).toMatchObject({ message: 'The ComfyUI server refuses the graph' });
  });

  it('with the node that failed while it ran, whatever others had saved', async () => {
    expect(await failure(failingGraph())).toEqual({
      code: 'COMFYUI_EXECUTION_ERROR', message: 'Node 3 of the graph failed at the ComfyUI server',
    });
  });

  it('with what no server has', async () => {
    const graph = imageGraph();
    expect(await failure({ ...graph, 9: node('NopeNode') })).toMatchObject({ code: 'COMFYUI_NOT_INSTALLED', message: 'No server has the node NopeNode' });
    const models = [{ kind: 'checkpoints', name: 'nope.safetensors' }];
    expect(await failure(graph, { models })).toMatchObject({ message: 'No server has the model nope.safetensors' });
  });
});
