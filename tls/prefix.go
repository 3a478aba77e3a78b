package tls

// StoragePrefix is the folder of the store that holds the certificates: who
// watches it learns when another process has issued one, and calls Reload.
const StoragePrefix = certsPrefix
