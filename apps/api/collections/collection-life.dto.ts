import { IsBoolean, IsIn, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import { BLOCKCHAINS, type Blockchain } from '#libs/collections/collection-metadata.js';
import { PageQuery } from '../http/paging.dto.js';
import { CreateCollectionBody } from './create-collection.dto.js';
import { MayBeAbsent } from '../http/body-fields.js';

/** `?q=&blockchain=` of the public list. */
export class PublicCollectionsQuery extends PageQuery {
  /** Part of the title or the description, in any case; one or two characters: what the title begins with. */
  @IsOptional() @IsString() @Length(1, 100)
  q?: string;

  @IsOptional() @IsIn(BLOCKCHAINS)
  blockchain?: Blockchain;
}

/** `?project_id=&status=&q=` of one's own list. */
export class OwnCollectionsQuery extends PageQuery {
  @IsOptional() @IsUUID('loose')
  project_id?: string;

  @IsOptional() @IsIn(['draft', 'published'])
  status?: 'draft' | 'published';

  /** Part of the title or the description, in any case. */
  @IsOptional() @IsString() @Length(1, 100)
  q?: string;
}

/** Body of `PUT /projects/:projectId/collections/:collectionId`. What is absent stays, what is null is taken back. */
export class UpdateCollectionBody extends CreateCollectionBody {}

/** Body of `POST /collections/:id/archive`. */
export class ArchiveCollectionBody {
  /** False shows it again. */
  @MayBeAbsent() @IsBoolean()
  archived: boolean = true;
}

/** Body of `POST /collections/:id/remix`. */
export class RemixCollectionBody {
  /** Default: the caller's default project, which is made when first needed. */
  @MayBeAbsent() @IsUUID('loose')
  project_id?: string;
}

/** An entry of a collection's audit trail. */
export class CollectionHistoryAnswer {
  id: string;
  action: 'created' | 'updated' | 'scheduled' | 'published' | 'archived' | 'restored';
  /**
   * `origin`: the workflow version that the set is of, or null. `before`: the collection as it was, `is_current`
   * false, with its set where that was replaced. `borrowed`: of another's set, where it was taken from, and which of
   * the files that it names may be the owner's.
   */
  data: object | null;
  created_at: string;
}
