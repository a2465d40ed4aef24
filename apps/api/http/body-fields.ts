import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize, ArrayNotEmpty, ArrayUnique, IsArray, IsIn, IsISO8601, IsObject, IsString, IsUrl, Length, Matches,
  ValidateBy, ValidateIf,
} from 'class-validator';
import { RECORDED_EVENTS } from '#libs/events/job-event.js';
import { MAX_URL_LENGTH } from '#libs/outbound/vetted-url.js';

const MAX_VARIABLES = 200;
const MAX_VARIABLE_BYTES = 256 * 1024;

/** May be left out. Unlike `IsOptional` it does not let `null` pass. */
export const MayBeAbsent = () => ValidateIf((_object, value: unknown) => value !== undefined);

/** An ISO date, or date and time with its offset, that exists: `2027-01-31`, `2027-01-31T12:00:00Z`. */
export const IsInstant = () =>
  applyDecorators(
    IsISO8601({ strict: true, strictSeparator: true }),
    Matches(/^(?!0000)\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/, {
      message: '$property must be an ISO 8601 date, or date and time with an offset',
    }),
  );

export const IsWebUrl = ({ each = false } = {}) =>
  applyDecorators(
    Length(1, 2048, { each }),
    IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false }, {
      message: each ? 'each value in $property must be an http(s) URL' : '$property must be an http(s) URL',
      each,
    }),
  );

/** Where a job's events are sent. Whether the host is a public one is seen each time it is connected to. */
export const IsWebhookUrl = () =>
  applyDecorators(
    IsWebUrl(),
    ValidateBy({
      name: 'isWebhookUrl',
      validator: {
        validate: (value) => typeof value === 'string' && isSendable(value),
        defaultMessage: () => '$property must not hold a name or a password, nor more than 2048 characters when encoded',
      },
    }),
  );

/** Which of a job's events are sent to the address in the field `url`. */
export const IsWebhookEvents = (url: string) =>
  applyDecorators(
    IsBeside(url),
    IsArray(), ArrayNotEmpty(), ArrayMaxSize(20), ArrayUnique(),
    IsIn(RECORDED_EVENTS, { each: true, message: 'each value in $property must be the name of a recorded event' }),
  );

/** `tags` of a submission. */
export const IsTags = () =>
  applyDecorators(IsArray(), ArrayMaxSize(10), IsString({ each: true }), Length(1, 50, { each: true }));

/** JSON whose names are somebody else's: handed on untouched. */
export const AsItCame = () => Transform(({ obj, key }) => (obj as Record<string, unknown>)[key]);

/** A record of values by name. */
export const IsVariables = () => applyDecorators(AsItCame(), IsObject(), IsWithinVariableLimits());

const IsWithinVariableLimits = () =>
  ValidateBy({
    name: 'isWithinVariableLimits',
    validator: {
      validate: isWithinVariableLimits,
      defaultMessage: () => `$property must have at most ${MAX_VARIABLES} names and 256 KiB`,
    },
  });

function isSendable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { href, username, password } = new URL(text);
  return href.length <= MAX_URL_LENGTH && username === '' && password === '';
}

function isWithinVariableLimits(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return Object.keys(value).length <= MAX_VARIABLES && bytes <= MAX_VARIABLE_BYTES;
}

/** For a field that says nothing without another one. */
const IsBeside = (other: string) =>
  ValidateBy({
    name: 'isBeside',
    validator: {
      validate: (_value, given) => (given?.object as Record<string, unknown> | undefined)?.[other] !== undefined,
      defaultMessage: () => `$property needs ${other}`,
    },
  });
