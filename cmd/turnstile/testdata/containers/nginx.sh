# A web server of several processes, as root and as another user, serves a request.
cat >nginx.conf <<end
user www-data;
pid $WORK/nginx.pid;
error_log stderr;
events {}
http {
	access_log $WORK/access.log;
	client_body_temp_path $WORK/body;
	proxy_temp_path $WORK/proxy;
	fastcgi_temp_path $WORK/fastcgi;
	uwsgi_temp_path $WORK/uwsgi;
	scgi_temp_path $WORK/scgi;
	server {
		listen 127.0.0.1:$PORT;
		root $WORK;
	}
}
end
echo served >page.html
nginx -e stderr -c "$WORK/nginx.conf" # returns when it listens
curl -sS "http://127.0.0.1:$PORT/page.html"
nginx -e stderr -c "$WORK/nginx.conf" -s quit
