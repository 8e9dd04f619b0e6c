import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'src/api/schema.ts'] },
  ...tseslint.configs.strict,
  reactHooks.configs.flat['recommended-latest'],
  {
    rules: {
      'max-lines-per-function': ['warn', { max: 110, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      eqeqeq: 'error',
      // Only the React compiler is concerned, which is not used.
      'react-hooks/incompatible-library': 'off',
    },
  },
  { files: ['test/**', 'scripts/**', '*.mjs'], rules: { 'max-lines-per-function': 'off', 'no-console': 'off' } },
);
