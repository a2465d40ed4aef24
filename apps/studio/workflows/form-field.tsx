import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { upload } from '../api/platen.js';
import type { Field, Value } from './form-fields.js';

export interface FieldProps {
  field: Field;
  value: Value | undefined;
  onChange: (value: Value) => void;
  fault: string | undefined;
}

/** A field of a form with its name, its control, and what is wrong with it. */
export function FormField(props: FieldProps) {
  const { field, fault } = props;
  const id = `field-${field.id}`;
  return (
    <div class={`field ${field.control}`}>
      <label for={id}>
        {field.label}
        {!field.required && field.initial === null && field.control !== 'switch' && <small> optional</small>}
      </label>
      <FieldControl {...props} id={id} />
      {fault && <p class="fault" id={`${id}-fault`}>{fault}</p>}
    </div>
  );
}

type ControlProps = FieldProps & { id: string };

function FieldControl(props: ControlProps) {
  switch (props.field.control) {
    case 'choice':
      return <Choice {...props} />;
    case 'range':
      return <Range {...props} />;
    case 'switch':
      return <Switch {...props} />;
    case 'color':
      return <Color {...props} />;
    case 'image':
      return <Picture {...props} />;
    case 'prose':
      return <textarea {...attributes(props)} rows={4} value={String(props.value ?? '')}
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)} />;
    case 'number':
      return <NumberField {...props} />;
    default:
      return <input {...attributes(props)} value={String(props.value ?? '')}
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)} />;
  }
}

const attributes = ({ id, field, fault }: ControlProps) => ({
  id,
  required: field.required,
  placeholder: field.control === 'ratio' ? '16:9' : field.placeholder,
  'aria-invalid': fault !== undefined,
  ...(fault !== undefined && { 'aria-describedby': `${id}-fault` }),
});

function NumberField(props: ControlProps) {
  const { min, max, step = 'any' } = props.field;
  return (
    <input {...attributes(props)} type="number" min={min} max={max} step={step} value={String(props.value ?? '')}
      onInput={({ currentTarget: { value } }) => props.onChange(value === '' ? '' : Number(value))} />
  );
}

function Range(props: ControlProps) {
  const { min = 0, max = 1, step = 'any' } = props.field;
  return (
    <span class="with-value">
      <input {...attributes(props)} type="range" min={min} max={max} step={step} value={Number(props.value ?? min)}
        onInput={({ currentTarget }) => props.onChange(Number(currentTarget.value))} />
      <output for={props.id}>{props.value ?? '–'}</output>
    </span>
  );
}

function Choice(props: ControlProps) {
  const { choices = [], required } = props.field;
  const chosen = choices.findIndex(({ value }) => value === props.value);
  return (
    <select {...attributes(props)} value={String(chosen)}
      onChange={({ currentTarget }) => props.onChange(choices[Number(currentTarget.value)]?.value ?? '')}>
      {(!required || chosen < 0) && <option value="-1">Choose …</option>}
      {choices.map(({ label }, index) => <option value={String(index)}>{label}</option>)}
    </select>
  );
}

const Switch = (props: ControlProps) => (
  <input id={props.id} type="checkbox" checked={props.value === true}
    onChange={({ currentTarget }) => props.onChange(currentTarget.checked)} />
);

/** The browser's own picker knows six digits only; all else can be typed. */
function Color(props: ControlProps) {
  const text = String(props.value ?? '');
  return (
    <span class="with-value">
      <input type="color" aria-label={`${props.field.label}: pick`} value={/^#[0-9a-f]{6}$/i.test(text) ? text : '#000000'}
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)} />
      <input {...attributes(props)} value={text} placeholder="#1e3a5f"
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)} />
    </span>
  );
}

/** An address, or a file that is uploaded and then named by its id. */
function Picture(props: ControlProps) {
  const [said, say] = useState('');
  const send = (file: File | undefined) => {
    if (!file) return;
    say('Uploading …');
    upload(file).then(({ id }) => {
      say(`${file.name} is uploaded.`);
      props.onChange(id);
    }, (error: unknown) => say(sentenceOf(error)));
  };
  return (
    <span class="picture">
      <input {...attributes(props)} value={String(props.value ?? '')} placeholder="https://… or choose a file"
        onInput={({ currentTarget }) => props.onChange(currentTarget.value)} />
      <input type="file" accept="image/*" aria-label={`${props.field.label}: choose a file`}
        onChange={({ currentTarget }) => send(currentTarget.files?.[0])} />
      <span class="quiet" role="status">{said}</span>
    </span>
  );
}
