// One service for each of WORKERS processes, which share the port.
import cluster from 'node:cluster';

cluster.setupPrimary({ exec: new URL('server.mjs', import.meta.url).pathname });
for (let worker = 0; worker < Number(process.env.WORKERS); worker += 1) cluster.fork();
