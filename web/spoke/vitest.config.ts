import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/{unit,package}/**/*.test.ts'] } },
      {
        test: {
          name: 'hub',
          include: ['test/hub/**/*.test.ts'],
          globalSetup: 'test/hub/setup.ts',
          testTimeout: 40_000,
          hookTimeout: 40_000,
          fileParallelism: false, // these look at time, and each has a browser
        },
      },
    ],
  },
})
