import { goodDays } from '#libs/providers/stand-in/dials.js';
import { formOf, ImageFaces } from '../../../test/factories/image-faces.js';
import { booksAreRight } from '../../../test/factories/reads.js';

const ROUTE = '/api/v1/generations';
const FOX = { prompt: 'a fox' };

describe('a v1 submission that is a form', () => {
  let faces: ImageFaces;
  let userId: string;
  beforeAll(async () => {
    faces = await ImageFaces.start();
  });
  beforeEach(async () => {
    Object.assign(faces.replicate.dials, goodDays());
    userId = await faces.user();
  });
  afterEach(() => booksAreRight(faces.api.database));
  afterAll(() => faces.close());

  const submit = (form: FormData) => faces.call(userId, `POST ${ROUTE}`, form);
  const ends = (id: unknown) => faces.becomes(userId, `${ROUTE}/${String(id)}`, 'succeeded');

  it.each([
    ['input3', formOf(FOX, { input3: Buffer.from('x') })],
    ['prompt', formOf({}, { input1: Buffer.from('x') })],
    ['parameters', formOf({ ...FOX, parameters: '{' }, {})],
    ['parameters.x', formOf({ ...FOX, parameters: '{"x":1e999}' }, {})],
    ['input2', formOf({ ...FOX, model: 'qwen/qwen-image-edit' }, { input1: Buffer.from('x'), input2: Buffer.from('x') })],
    ['mode', formOf({ ...FOX, mode: 'text_to_image' }, { input1: Buffer.from('x') })],
    ['input1', formOf({ ...FOX, mode: 'image_to_image' }, { input2: Buffer.from('x') })],
  ])('names %s of a form when it is wrong', async (field, form) => {
    const { status, json } = await submit(form);
    expect([status, json.details]).toEqual([400, expect.arrayContaining([{ field, message: expect.any(String) }])]);
  });

  it('takes a form as browsers send it: a blank file is none, and JSON may say that it is', async () => {
    const boundary = 'a-boundary';
    const part = (disposition: string, type: string, text: string) =>
      `--${boundary}\r\ncontent-disposition: form-data; ${disposition}\r\ncontent-type: ${type}\r\n\r\n${text}\r\n`;
    const response = await fetch(faces.api.url + ROUTE, {
      method: 'POST',
      headers: { ...faces.api.as(userId), 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: [
        part('name="prompt"', 'text/plain', 'a fox'),
        part('name="input1"; filename=""', 'application/octet-stream', ''),
        part('name="input2"; filename=""', 'application/octet-stream', ''),
        part('name="parameters"', 'application/json', '{"seed":1}'),
        `--${boundary}--\r\n`,
      ].join(''),
    });
    const { data } = (await response.json()) as { data: { id: string } };
    expect([response.status, data]).toMatchObject([202, { settings: { mode: 'text_to_image', parameters: { seed: 1 }, inputs: [] } }]);
    await ends(data.id);
  });
});
