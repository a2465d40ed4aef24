// Every file, packages included, is compiled to CommonJS: on Node 20 Jest cannot load a tree that
// mixes ES modules and CommonJS in any other way (docs/adr/0002-esm-and-tests.md).
const swc = (parser, isModule) => [
  '@swc/jest',
  {
    isModule,
    jsc: {
      parser,
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

export default {
  testEnvironment: 'node',
  testRegex: '\\.spec\\.ts$',
  moduleFileExtensions: ['js', 'json', 'ts', 'mjs', 'cjs'],
  transform: {
    '^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }, true),
    '^.+\\.[mc]?js$': swc({ syntax: 'ecmascript' }, 'unknown'),
  },
  transformIgnorePatterns: [],
  moduleNameMapper: {
    // It offers nothing under `require` or `default`.
    '^canonicalize$': '<rootDir>/node_modules/canonicalize/lib/canonicalize.js',
    '^#(libs|apps)/(.*)\\.js$': '<rootDir>/$1/$2',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.platen'],
  testEnvironmentOptions: {
    // file-type offers nothing under `require`.
    customExportConditions: ['node', 'node-addons', 'require', 'default', 'module-sync'],
  },
  globalSetup: '<rootDir>/test/setup/global-setup.mjs',
  globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
  setupFiles: ['reflect-metadata'],
  testTimeout: 30_000,
  maxWorkers: 3,
};
