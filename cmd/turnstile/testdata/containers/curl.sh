# A client fetches from a server that is not watched.
curl -sS --max-time 20 -o page "$URL"
cat page
