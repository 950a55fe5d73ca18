// Stands in for the packages that preload.cjs leaves out. Of ts-node the SDK calls this one function.
exports.register = () => {};
