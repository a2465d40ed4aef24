import { formSchema } from '#libs/workflows/form-schema.js';
import { fieldsOf, groupsOf, initialValues, variablesOf } from './form-fields.js';

const FORM = {
  config: { groupOrder: ['How', 'What'] },
  fields: [
    { id: 'subject', name: 'Subject', type: 'prompt_editor', group: 'What', required: true },
    { id: 'reference', name: 'Reference', type: 'image_loader', group: 'What' },
    { id: 'aspect_ratio', type: 'aspect_ratio', group: 'How', default: '4:5' },
    { id: 'ink', name: 'Ink', type: 'color_picker', group: 'How', default: '#1e3a5f' },
    { id: 'size', type: 'slider', default: 512, constraints: { min: 256, max: 1024, step: 64 } },
    { id: 'odd', type: 'slider', constraints: { min: 1, max: 9, step: 2 } },
    { id: 'seed', type: 'input', input_type: 'integer' },
    { id: 'upscale', type: 'checkbox' },
    { id: 'palette', type: 'select', default: 'dusk', options: [{ value: 'dusk', label: 'Dusk' }, { value: 'reef' }] },
    { id: 'note', type: 'input' },
  ],
};

/** As the API shows a workflow of this form. */
const workflow = { form_schema: formSchema(FORM as never), data: { form: FORM } } as never;
const byId = () => new Map(fieldsOf(workflow).map((field) => [field.id, field]));

describe('the form of a workflow', () => {
  it('has a control for each kind of value that its schema says', () => {
    expect(Object.fromEntries(fieldsOf(workflow).map(({ id, control }) => [id, control]))).toEqual({
      subject: 'prose', reference: 'image', aspect_ratio: 'ratio', ink: 'color', size: 'range', odd: 'range', seed: 'number',
      upscale: 'switch', palette: 'choice', note: 'text',
    });
  });

  it('knows bounds and steps, also those that do not begin at zero', () => {
    expect(byId().get('size')).toMatchObject({ min: 256, max: 1024, step: 64, initial: 512 });
    expect(byId().get('odd')).toMatchObject({ min: 1, max: 9, step: 2, initial: null });
    expect(byId().get('seed')).toMatchObject({ step: 1, required: false });
  });

  it('calls fields and choices as their author does, and else by their ids', () => {
    expect(byId().get('aspect_ratio')!.label).toBe('Aspect ratio');
    expect(byId().get('palette')!.choices).toEqual([{ value: 'dusk', label: 'Dusk' }, { value: 'reef', label: 'reef' }]);
    expect(byId().get('subject')).toMatchObject({ label: 'Subject', required: true });
  });

  it('stands in the groups of its author, in their order', () => {
    const groups = groupsOf(fieldsOf(workflow), FORM.config.groupOrder);
    expect(groups.map(({ name, fields }) => [name, fields.length])).toEqual([['How', 2], ['What', 2], [null, 6]]);
  });

  it('begins with the defaults, and sends nothing for what is left empty', () => {
    const initial = initialValues(fieldsOf(workflow));
    expect(initial).toEqual({ aspect_ratio: '4:5', ink: '#1e3a5f', size: 512, upscale: false, palette: 'dusk' });
    expect(variablesOf({ ...initial, note: '', seed: 0 })).toEqual({ ...initial, seed: 0 });
  });

  it('is drawn from the schema alone where nothing else is told', () => {
    const fields = fieldsOf({ form_schema: formSchema(FORM as never) as never, data: { form: null } });
    expect(fields.map(({ control }) => control)).toEqual([
      'text', 'image', 'ratio', 'color', 'range', 'range', 'number', 'switch', 'choice', 'text',
    ]);
  });
});
