import { erc721Faults, erc7572Faults, isErc1155FileName, tzip21Faults } from '../../test/standards/token-standards.js';
import { contractMetadata } from './contract-metadata.js';
import { erc721Metadata } from './erc721.js';
import { metadataFileName, standardOf } from './token-standard.js';
import { type Token, type TokenFile } from './token.js';
import { tzip21Metadata } from './tzip21.js';

const IMAGE: TokenFile = { uri: 'ipfs://cid/7.png', mimeType: 'image/png', size: 1_234, width: 40, height: 30 };
const VIDEO: TokenFile = { uri: 'ipfs://cid/7.mp4', mimeType: 'video/mp4', size: 99_999, width: null, height: null };
const THUMBNAIL: TokenFile = { uri: 'https://art.example/7.webp', mimeType: 'image/webp', size: 99, width: 8, height: 6 };

const buildToken = (differs: Partial<Token> = {}): Token => ({
  number: 7,
  collectionTitle: 'Dunes',
  description: 'Sand',
  traits: [
    { trait_type: 'Palette', value: 'Ochre' },
    { trait_type: 'Grains', value: 12.5 },
    { trait_type: 'Windy', value: true },
  ],
  image: IMAGE,
  thumbnail: null,
  animation: null,
  ...differs,
});

const TOKENS: Array<[what: string, token: Token]> = [
  ['an image', buildToken()],
  ['a video with its poster', buildToken({ animation: VIDEO })],
  ['a thumbnail', buildToken({ thumbnail: THUMBNAIL })],
  ['no traits', buildToken({ traits: [] })],
  ['a colour behind it', buildToken({ traits: [{ trait_type: 'background_color', value: '#Fe0A1b' }] })],
  ['a colour that is none', buildToken({ traits: [{ trait_type: 'background_color', value: 'red' }] })],
];

describe('metadata of a token', () => {
  it.each(TOKENS)('with %s are what ERC-721 and OpenSea say', (_, token) => {
    expect(erc721Faults(erc721Metadata(token))).toEqual([]);
  });

  it.each(TOKENS)('with %s are what TZIP-21 says', (_, token) => {
    expect(tzip21Faults(tzip21Metadata(token))).toEqual([]);
  });

  it('for ERC-721: numbers as numbers, the rest as text', () => {
    expect(erc721Metadata(buildToken({ animation: VIDEO }))).toEqual({
      name: 'Dunes #7',
      description: 'Sand',
      image: 'ipfs://cid/7.png',
      animation_url: 'ipfs://cid/7.mp4',
      attributes: [
        { trait_type: 'Palette', value: 'Ochre' },
        { trait_type: 'Grains', value: 12.5, display_type: 'number' },
        { trait_type: 'Windy', value: 'true' },
      ],
    });
  });

  it('for OpenSea: a colour without #, and as an attribute where it is no colour', () => {
    const withColour = (value: string) =>
      erc721Metadata(buildToken({ traits: [{ trait_type: 'background_color', value }] }));
    expect(withColour('#Fe0A1b')).toMatchObject({ background_color: 'fe0a1b', attributes: [] });
    expect(withColour('red')).not.toHaveProperty('background_color');
    expect(withColour('red')).toMatchObject({ attributes: [{ value: 'red' }] });
  });

  it('for TZIP-21: one of it, whole, with what its files are', () => {
    expect(tzip21Metadata(buildToken({ animation: VIDEO }))).toEqual({
      name: 'Dunes #7',
      description: 'Sand',
      decimals: 0,
      isBooleanAmount: true,
      artifactUri: 'ipfs://cid/7.mp4',
      displayUri: 'ipfs://cid/7.png',
      thumbnailUri: 'ipfs://cid/7.png',
      formats: [
        { uri: 'ipfs://cid/7.mp4', mimeType: 'video/mp4', fileSize: 99_999 },
        { uri: 'ipfs://cid/7.png', mimeType: 'image/png', fileSize: 1_234, dimensions: { value: '40x30', unit: 'px' } },
      ],
      attributes: [
        { name: 'Palette', value: 'Ochre' }, { name: 'Grains', value: '12.5' }, { name: 'Windy', value: 'true' },
      ],
    });
  });

  it('for TZIP-21: with a thumbnail where there is one', () => {
    expect(tzip21Metadata(buildToken({ thumbnail: THUMBNAIL }))).toMatchObject({
      artifactUri: IMAGE.uri, displayUri: IMAGE.uri, thumbnailUri: THUMBNAIL.uri,
      formats: [{ uri: IMAGE.uri }, { uri: THUMBNAIL.uri, mimeType: 'image/webp', fileSize: 99 }],
    });
  });

  it('are named by their number, for ERC-1155 by 64 lower-case hex digits', () => {
    expect([metadataFileName('erc721', 171), metadataFileName('tzip21', 171)]).toEqual(['171.json', '171.json']);
    const name = metadataFileName('erc1155', 171);
    expect([isErc1155FileName(name), BigInt(`0x${name.split('.')[0]}`)]).toEqual([true, 171n]);
    expect(isErc1155FileName(metadataFileName('erc721', 171))).toBe(false);
  });

  it('follow the chain', () => {
    expect([standardOf('ETHEREUM'), standardOf('BASE'), standardOf('TEZOS'), standardOf(null)]).toEqual([
      'erc721', 'erc721', 'tzip21', 'erc721',
    ]);
  });
});

describe(contractMetadata, () => {
  it('is what ERC-7572 says, with the cover or the first image', () => {
    const bare = { title: null, description: null, cover_image_url: null };
    const [named, unnamed] = [
      contractMetadata({ ...bare, title: 'Dunes', cover_image_url: 'https://images.example/a.png' }, IMAGE.uri),
      contractMetadata(bare, IMAGE.uri),
    ];
    expect([named, unnamed, contractMetadata(bare, null)].flatMap(erc7572Faults)).toEqual([]);
    expect([named.image, unnamed.image, unnamed.name]).toEqual(['https://images.example/a.png', IMAGE.uri, 'Untitled']);
  });
});
