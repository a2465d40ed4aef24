import { hasOpenBytes, type AssetRow } from '#libs/assets/asset-row.js';

/** What a browser may show in place. All else is offered for download: markup and scripts above all. */
const INLINE = [
  /^image\/(png|apng|jpeg|webp|gif|avif|bmp|tiff)$/, /^(audio|video)\//, /^(text\/plain|application\/json)$/,
];
const MAX_AGE_SECONDS = 3_600;

/** Headers with which a stranger's bytes can do nothing on our origin, whatever they are. */
export function fileHeaders(asset: AssetRow): Record<string, string> {
  return {
    'content-type': contentTypeOf(asset.mime_type),
    'content-disposition': dispositionOf(asset),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    // Pages of other origins show these files; whom they are shown to was decided before.
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': `${hasOpenBytes(asset) ? 'public' : 'private'}, max-age=${MAX_AGE_SECONDS}`,
    vary: 'Authorization',
    // Strong: the digest of the bytes.
    etag: `"${asset.sha256}"`,
    'accept-ranges': 'bytes',
  };
}

const contentTypeOf = (mimeType: string): string =>
  /^text\/|^application\/(json|xml)$|^image\/svg/.test(mimeType) ? `${mimeType}; charset=utf-8` : mimeType;

/** RFC 6266: a plain name for old clients, the real one in UTF-8. */
function dispositionOf({ mime_type, name }: AssetRow): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const manner = INLINE.some((types) => types.test(mime_type)) ? 'inline' : 'attachment';
  return `${manner}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
