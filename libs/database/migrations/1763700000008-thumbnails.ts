import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is still to be made of files and of collections, what was made, and which drafts wait for their day. */
export class Thumbnails1763700000008 implements MigrationInterface {
  name = 'Thumbnails1763700000008';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}

const UP = [
  `alter table flat_file
     -- By variant: type, bytes, digest, width and height.
     add thumbnails jsonb,
     -- When they are made, or tried again. Null: there is nothing to do.
     add thumbnail_due timestamptz,
     add thumbnail_attempts smallint not null default 0,
     -- Why they were not made.
     add thumbnail_error text`,
  `create index flat_file_thumbnail_due on flat_file (thumbnail_due)
     where thumbnail_due is not null and deleted_at is null`,
  // When cover and images are looked for.
  'alter table collection_preview add next_at timestamptz',
  'create index collection_preview_due on collection_preview (next_at) where next_at is not null',
  // Its owner wants it published as soon as its date has come.
  'alter table collection add publish_asked boolean not null default false',
  `create index collection_asked_to_publish on collection (publish_date) where publish_asked and status = 'draft'`,
  // Covers of their owners stand in the collection's own row.
  'update collection_preview set cover_image_url = null where cover_image_url is not null',
  `update flat_file set thumbnail_due = now()
    where shown and deleted_at is null and (mime_type like 'video/%' or mime_type in (
      'image/png', 'image/apng', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif', 'image/tiff'))`,
];

const DOWN = [
  'drop index collection_asked_to_publish',
  'alter table collection drop publish_asked',
  'drop index collection_preview_due',
  'alter table collection_preview drop next_at',
  'drop index flat_file_thumbnail_due',
  `alter table flat_file
     drop thumbnails, drop thumbnail_due, drop thumbnail_attempts, drop thumbnail_error`,
];
