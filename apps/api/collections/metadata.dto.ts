import { IsIn, Length, Matches } from 'class-validator';
import { TOKEN_STANDARDS, type TokenStandard } from '#libs/token-metadata/token-standard.js';
import { ApiScalar } from '../http/answers.js';
import { PageQuery } from '../http/paging.dto.js';
import { MayBeAbsent } from '../http/body-fields.js';

/** Query of `GET /collections/:id/metadata`. */
export class TokenMetadataQuery extends PageQuery {
  /** `zip` gives all editions with their files, and knows no pages. */
  @MayBeAbsent() @IsIn(['json', 'zip'])
  format: 'json' | 'zip' = 'json';

  /** Default: `tzip21` on TEZOS, else `erc721`. `erc1155` differs in the names of the files. */
  @MayBeAbsent() @IsIn(TOKEN_STANDARDS)
  standard?: TokenStandard;

  /** Where the folder `images` of the zip lies, such as `ipfs://<CID>`. Default: the files' addresses here. */
  @MayBeAbsent() @Length(1, 500) @Matches(/^(https?|ipfs|ar):\/\/[\w.~:/@!$&'()*+,;=%-]+$/, {
    message: '$property must be an address that begins with https://, http://, ipfs:// or ar://',
  })
  images_uri?: string;
}

export class RarityAnswer {
  /** 1 is the rarest; ties share a rank. */
  rank: number;
  /** Information content of its traits; 1 is the collection's mean, 0 where all are alike. */
  score: number;
  /** Finished editions. */
  of: number;
}

export class TokenTraitAnswer {
  trait_type: string;

  @ApiScalar()
  value: string | number | boolean;

  /** Editions that have the same. */
  count: number;
  /** The same as a part of 1. */
  share: number;
}

/** A finished edition and its metadata. */
export class TokenAnswer {
  /** From 1. Final once all jobs of the collection have ended. */
  token_id: string;
  /** Name of its metadata in the zip. */
  file_name: string;
  hash: string;
  generation_id: string;
  rarity: RarityAnswer;
  traits: TokenTraitAnswer[];
  /** As the standard has it: ERC-721 JSON with OpenSea's fields, or TZIP-21. */
  metadata: object;
}

/** ERC-7572. */
export class ContractMetadataAnswer {
  name: string;
  description: string;
  image?: string;
}
