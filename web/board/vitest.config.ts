import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'board',
          include: ['test/board/**/*.test.ts'],
          globalSetup: 'test/board/setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false, // each has a browser
        },
      },
    ],
  },
})
