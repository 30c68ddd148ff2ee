// The script `prepack`: what npm would pack here lacks a build and the changed tfjs-node (pack/pack.ts).
process.stderr.write('image-check-server: npm pack and npm publish cannot make this package: use npm run pack\n');
process.exitCode = 1;
