// Plain JavaScript on purpose: an old Node must be able to read it and say what is wrong.
const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < wanted) {
  console.error(
    `Tandem needs Node ${wanted} or newer; this is ${process.version}. ` +
      'In a checkout: `npm ci` brings it (`npm rebuild node` where install scripts are blocked). ' +
      'From the package: `npx -p node@24 -p tandem-exchange tandem serve`.',
  );
  process.exit(1);
}
