#!/usr/bin/env node
import('../dist/cli/imexport.js').then((program) => program.main())
