import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Collections } from '#libs/collections/collections.js';
import { collectionNotFound } from '#libs/errors/errors.js';
import { distributionOf } from '#libs/instruction-set/distribution.js';
import { generateHash } from '#libs/instruction-set/hash.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { DistributionAnswer, DistributionBody } from './distribution.dto.js';

@ApiTags('Collections')
@Policy('user')
@Controller('collections')
export class DistributionController {
  constructor(private readonly collections: Collections) {}

  /** What new hashes would give for the collection's variables. Nothing is rendered, written or charged. */
  @Post(':id/distribution')
  @SubmitRate()
  @Answers({ data: DistributionAnswer, errors: ['VALIDATION_ERROR', 'COLLECTION_NOT_FOUND'] })
  async distribution(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body() { hashes }: DistributionBody,
  ): Promise<DistributionAnswer> {
    const { data } = await this.collections.find(caller.userId, parseUuid(id, collectionNotFound));
    const tried = Array.from({ length: hashes }, generateHash);
    return { hashes, traits: await distributionOf(data?.variables ?? {}, tried) };
  }
}
