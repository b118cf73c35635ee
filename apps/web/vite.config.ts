import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  // Our packages are taken from their sources: nothing has to be built before.
  resolve: {
    conditions: ['@parley/source', 'module', 'browser', mode === 'production' ? 'production' : 'development'],
  },
  // The page is served with `script-src 'self'; style-src 'self'; img-src 'self'`: nothing inline, nothing as a data URL.
  build: { target: 'es2023', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/trpc': { target: 'ws://127.0.0.1:3000', ws: true }, '/dev': 'http://127.0.0.1:3000' } },
}));
