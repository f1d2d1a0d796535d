import { defineConfig } from 'vite';
export default defineConfig({
  base: '/graphiql/',
  build: { outDir: 'dist', assetsInlineLimit: 0, chunkSizeWarningLimit: 8000, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
});
