import { defineConfig } from 'vitest/config'

const board = {
  name: 'board',
  include: ['test/board/**/*.test.ts'],
  retry: process.env['CI'] ? 1 : 0, // a build server may hold a browser up for seconds
  globalSetup: 'test/board/setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  fileParallelism: false, // each has a browser
}

export default defineConfig({
  test: {
    projects: [{ test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } }, { test: board }],
  },
})
