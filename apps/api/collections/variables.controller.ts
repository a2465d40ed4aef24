import { Controller, Get, Headers, Param, Put, Query, Req, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiExtraModels, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { CollectionView } from '#libs/collections/collection.js';
import { Collections } from '#libs/collections/collections.js';
import { VariableUpdates } from '#libs/collections/variable-updates.js';
import { AppError, type FieldFault } from '#libs/errors/app-error.js';
import { collectionNotFound, validationError } from '#libs/errors/errors.js';
import { faultAt, readSheet } from '#libs/variable-sheets/read-sheet.js';
import { writeSheet } from '#libs/variable-sheets/write-sheet.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { readBody } from '../http/submitted-body.js';
import { CollectionAnswer } from './collection.dto.js';
import { VariablesAnswer, VariablesBody, VariablesQuery } from './variables.dto.js';

const CSV = 'text/csv';
const PLACE = /^variables(?=\[)/;

/** A collection's variables by themselves, as JSON or as a sheet. */
@ApiTags('Collections')
@ApiExtraModels(VariablesBody)
@Policy('user')
@Controller('collections/:id/variables')
export class VariablesController {
  constructor(
    private readonly variables: VariableUpdates,
    private readonly collections: Collections,
  ) {}

  /**
   * The variables as they are in the set; with `format=csv`, or to whoever asks for `text/csv`, as a sheet: one row for
   * each value, made to be edited and sent back.
   */
  @Get()
  @Answers({ data: VariablesAnswer, also: CSV, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async find(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Query() { format }: VariablesQuery,
    @Headers('accept') accept: string | undefined,
  ): Promise<VariablesAnswer | StreamableFile> {
    const collectionId = parseUuid(id, collectionNotFound);
    const variables = await this.variables.read(userId, collectionId);
    const asked = format ?? (accept?.includes(CSV) ? 'csv' : 'json');
    if (asked === 'json') return { variables };
    return new StreamableFile(Buffer.from(writeSheet(variables)), {
      type: `${CSV}; charset=utf-8; header=present`,
      disposition: `attachment; filename="${collectionId}-variables.csv"`,
    });
  }

  /**
   * Replaces all variables: JSON, or a sheet as spreadsheets save it (UTF-8; commas, semicolons or tabs). The set is
   * checked with its steps, gets new component ids and leaves what was before in the history, as by any update. Faults
   * of a sheet name row and column.
   */
  @Put()
  @RouteConfig({ takesCsv: true })
  @ApiConsumes('application/json', CSV)
  @ApiBody({ schema: { oneOf: [{ $ref: getSchemaPath(VariablesBody) }, { type: 'string', description: 'CSV' }] } })
  @Answers({ data: CollectionAnswer, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async replace(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<CollectionView> {
    const collectionId = parseUuid(id, collectionNotFound);
    if (Buffer.isBuffer(request.body)) await this.replaceBySheet(caller, collectionId, request.body);
    else await this.replaceByJson(caller, collectionId, request.body);
    return this.collections.find(caller.userId, collectionId);
  }

  private async replaceByJson(caller: Caller, id: string, raw: unknown): Promise<void> {
    const { body, faults } = await readBody(VariablesBody, raw ?? {});
    if (!body) throw validationError(faults);
    await this.variables.replace(caller, id, body.variables);
  }

  private async replaceBySheet(caller: Caller, id: string, bytes: Buffer): Promise<void> {
    // What is not the caller's is nobody's to read sheets for.
    await this.variables.read(caller.userId, id);
    const { variables, placeOf } = readSheet(bytes);
    try {
      await this.variables.replace(caller, id, variables);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'VALIDATION_ERROR') throw error;
      throw validationError((error.details as FieldFault[]).map((fault) =>
        PLACE.test(fault.field) ? faultAt(placeOf(fault.field.replace(PLACE, '')), fault.message) : fault));
    }
  }
}
