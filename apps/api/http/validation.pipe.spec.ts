import type { ArgumentMetadata } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsOptional, IsString, MaxLength, Min, ValidateNested } from 'class-validator';
import { AppError } from '#libs/errors/app-error.js';
import { RequestValidationPipe } from './validation.pipe.js';

class Step {
  @IsString()
  name: string;
}

class Request {
  @IsString() @MaxLength(5)
  title: string;

  @IsOptional() @Type(() => Number) @IsInt() @Min(1)
  count: number = 1;

  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => Step)
  steps?: Step[];
}

const pipe = new RequestValidationPipe();
const read = (value: unknown, type: ArgumentMetadata['type'] = 'body') =>
  pipe.transform(value, { type, metatype: Request });
const faultsOf = (value: unknown, type?: ArgumentMetadata['type']) =>
  read(value, type).then(
    () => [],
    (error: AppError) => {
      expect(error).toMatchObject({ code: 'VALIDATION_ERROR', message: 'Invalid request body' });
      return error.details;
    },
  );

describe(RequestValidationPipe.name, () => {
  it('fills in defaults and makes the DTO', async () => {
    const request = await read({ title: 'Dunes', steps: [{ name: 'a' }] });
    expect(request).toEqual({ title: 'Dunes', count: 1, steps: [{ name: 'a' }] });
    expect(request).toBeInstanceOf(Request);
  });

  it('reads numbers of a query', async () => {
    expect(await read({ title: 'Dunes', count: '3' }, 'query')).toMatchObject({ count: 3 });
  });

  it('tells all faults at once, by dotted path', async () => {
    expect(await faultsOf({ title: 'Sandstorm', count: 0, extra: 1, steps: [{ name: 'a' }, { name: 1, more: 2 }] })).toEqual([
      { field: 'extra', message: 'is not a known field' },
      { field: 'title', message: 'title must be shorter than or equal to 5 characters' },
      { field: 'count', message: 'count must not be less than 1' },
      { field: 'steps.1.more', message: 'is not a known field' },
      { field: 'steps.1.name', message: 'name must be a string' },
    ]);
  });

  it('says of a missing field that it is required, once', async () => {
    expect(await faultsOf({})).toEqual([{ field: 'title', message: 'title is required' }]);
  });

  it('says of a body that is missing what it lacks', async () => {
    expect(await faultsOf(undefined)).toEqual([{ field: 'title', message: 'title is required' }]);
  });

  it.each([[[]], [[{ title: 'Dunes' }]], ['text'], [1], [true]])('refuses a body that is no object: %j', async (body) => {
    expect(await faultsOf(body)).toEqual([{ field: 'body', message: 'must be an object' }]);
  });

  it('refuses a parameter that a query has twice', async () => {
    expect(await faultsOf({ title: ['a', 'b'] }, 'query')).toMatchObject([{ field: 'title' }, { field: 'title' }]);
  });
});
